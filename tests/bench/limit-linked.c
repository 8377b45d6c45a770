/* SPDX-License-Identifier: MIT */
/* A program that does nothing, but links the libraries of a package manager that is one program. */
#include <archive.h>
#include <curl/curl.h>
#include <jansson.h>
#include <openssl/evp.h>
#include <solv/pool.h>
#include <sqlite3.h>

/* So that the linker drops none. */
const void *const keep[] = {
	(const void *)archive_read_new,
	(const void *)curl_easy_init,
	(const void *)json_loadb,
	(const void *)EVP_sha256,
	(const void *)pool_create,
	(const void *)sqlite3_open_v2,
};

int
main(void)
{
	return keep[0] == NULL;
}
