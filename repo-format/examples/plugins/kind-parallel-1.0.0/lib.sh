#!/bin/sh
# What dependents source: . "$PLUGPKG_DEP_KIND_PARALLEL/lib.sh"
kind_parallel_major() {
	echo 1
}
