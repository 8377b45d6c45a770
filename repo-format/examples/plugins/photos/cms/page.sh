#!/bin/sh
# SPDX-License-Identifier: MIT
echo "no pictures yet"
