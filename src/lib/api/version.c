/* SPDX-License-Identifier: MIT */
/* The version of the library. */
#include <plugpkg.h>

const char *
plugpkg_version(void)
{
	return PACKAGE_VERSION;
}
