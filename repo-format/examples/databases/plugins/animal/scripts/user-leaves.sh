#!/bin/sh
# SPDX-License-Identifier: MIT
# Called before `user` leaves, first to ask. 0: an animal without its person is none; this plugin goes too.
exit 0
