/* SPDX-License-Identifier: MIT */
/*
 * A main() for fuzz targets where libFuzzer is absent: feeds the empty input and every seed to the
 * target once and reports in TAP. Seeds are the files named as arguments, else all files of
 * ${top_srcdir}/tests/fuzz/corpus/NAME for a program called fuzz_NAME.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX_BYTES (4U << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned count;

/* A copy of exactly `size` bytes: an overrun by one is then seen by the address sanitizer. */
static void
feed(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size); /* always 0: libFuzzer reserves other values */
	free(copy);
}

static int
feed_file(const char *path)
{
	static uint8_t data[SEED_MAX_BYTES];
	FILE *f = fopen(path, "rbe");

	if (f == NULL) {
		printf("not ok %u - cannot open %s: errno %d\n", ++count, path, errno);
		return 1;
	}
	size_t n = fread(data, 1, sizeof(data), f);
	int bad = ferror(f);

	fclose(f);
	if (bad) {
		printf("not ok %u - cannot read %s\n", ++count, path);
		return 1;
	}
	const char *slash = strrchr(path, '/');

	printf("# feeding %s\n", path); /* before the call: the last line names what crashed */
	feed(data, n);
	printf("ok %u - seed %s\n", ++count, slash != NULL ? slash + 1 : path);
	return 0;
}

static int
is_seed(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static int
feed_directory(const char *dir)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, is_seed, alphasort);
	int failed = 0;

	if (n < 0) {
		printf("not ok %u - no seeds at %s\n", ++count, dir);
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char path[PATH_MAX];
		int len = snprintf(path, sizeof(path), "%s/%s", dir, names[i]->d_name);

		if (len > 0 && (size_t)len < sizeof(path))
			failed |= feed_file(path);
		free(names[i]);
	}
	free(names);
	return failed;
}

static int
feed_corpus_of(const char *program)
{
	const char *src = getenv("top_srcdir");
	const char *name = strstr(program, "fuzz_");
	char dir[PATH_MAX];

	name = name != NULL ? name + strlen("fuzz_") : program;
	int len =
	    snprintf(dir, sizeof(dir), "%s/tests/fuzz/corpus/%s", src != NULL ? src : ".", name);

	if (len < 0 || (size_t)len >= sizeof(dir))
		return 1;
	return feed_directory(dir);
}

int
main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	int failed = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	feed(NULL, 0);
	printf("ok %u - the empty input\n", ++count);
	for (int i = 1; i < argc; i++)
		failed |= feed_file(argv[i]);
	if (argc == 1)
		failed |= feed_corpus_of(slash != NULL ? slash + 1 : argv[0]);
	printf("1..%u\n", count);
	return failed;
}
