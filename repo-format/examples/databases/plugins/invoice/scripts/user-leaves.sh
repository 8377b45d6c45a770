#!/bin/sh
# SPDX-License-Identifier: MIT
# 10: invoices have to be kept. They also keep their plain foreign key, so while somebody owes one, the
# database itself refuses to let go of `user`.
[ "$PLUGPKG_EVENT_PHASE" != ask ] || exit 10
