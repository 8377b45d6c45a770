/* SPDX-License-Identifier: MIT */
/*
 * limit-unpack [-t THREADS] [-h] [-s] DIRECTORY ARCHIVE…: the least that an installer on libarchive
 * can cost. Unpacks each archive into DIRECTORY/BASENAME; with -h takes its SHA-256 too, as an
 * index needs; with -s each file is on the disk before the next one is written. The archives are
 * trusted.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_THREADS 64

struct work {
	const char *dir;
	char **files;
	int n_files;
	bool is_hashing, is_syncing;
	atomic_int next;
	atomic_bool has_failed;
};

/* Makes the directories of a path below its first `keep` bytes. */
static bool
make_parents(char *path, size_t keep)
{
	for (char *p = path + keep; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		int rc = mkdir(path, 0755);
		*p = '/';
		if (rc != 0 && errno != EEXIST)
			return false;
	}
	return true;
}

static bool
write_file(struct archive *in, const char *path, bool is_syncing)
{
	const void *data;
	size_t size;
	la_int64_t at;
	int rc, fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	if (fd < 0)
		return false;
	while ((rc = archive_read_data_block(in, &data, &size, &at)) == ARCHIVE_OK)
		if (pwrite(fd, data, size, at) != (ssize_t)size)
			break;
	if (is_syncing && fsync(fd) != 0)
		rc = ARCHIVE_FATAL;
	(void)close(fd);
	return rc == ARCHIVE_EOF;
}

static bool
write_entry(const struct work *w, struct archive *in, struct archive_entry *entry, const char *base,
    char last[PATH_MAX])
{
	char path[PATH_MAX];

	if (archive_entry_filetype(entry) != AE_IFREG)
		return true;
	int n =
	    snprintf(path, sizeof(path), "%s/%s/%s", w->dir, base, archive_entry_pathname(entry));
	if (n < 0 || (size_t)n >= sizeof(path))
		return false;
	size_t n_dir = (size_t)(strrchr(path, '/') - path);
	if (strncmp(path, last, n_dir) != 0 || last[n_dir] != '\0') {
		if (!make_parents(path, strlen(w->dir) + 1))
			return false;
		memcpy(last, path, n_dir);
		last[n_dir] = '\0';
	}
	return write_file(in, path, w->is_syncing);
}

static bool
unpack_memory(const struct work *w, const void *data, size_t size, const char *base)
{
	struct archive *in = archive_read_new();
	struct archive_entry *entry;
	char last[PATH_MAX] = "";
	unsigned char digest[EVP_MAX_MD_SIZE];
	int rc;

	if (w->is_hashing && EVP_Digest(data, size, digest, NULL, EVP_sha256(), NULL) != 1)
		return false;
	(void)archive_read_support_format_tar(in);
	(void)archive_read_support_filter_gzip(in);
	(void)archive_read_support_filter_zstd(in);
	if (archive_read_open_memory(in, data, size) != ARCHIVE_OK)
		return false;
	while ((rc = archive_read_next_header(in, &entry)) == ARCHIVE_OK)
		if (!write_entry(w, in, entry, base, last))
			break;
	(void)archive_read_free(in);
	return rc == ARCHIVE_EOF;
}

static bool
unpack(const struct work *w, const char *file)
{
	const char *slash = strrchr(file, '/');
	struct stat st;
	int fd = open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		return false;
	void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	(void)close(fd);
	if (map == MAP_FAILED)
		return false;
	bool is_done = unpack_memory(w, map, (size_t)st.st_size, slash != NULL ? slash + 1 : file);
	(void)munmap(map, (size_t)st.st_size);
	return is_done;
}

static void *
worker(void *arg)
{
	struct work *w = arg;

	for (;;) {
		int mine = atomic_fetch_add(&w->next, 1);
		if (mine >= w->n_files)
			return NULL;
		if (!unpack(w, w->files[mine])) {
			fprintf(stderr, "limit-unpack: cannot unpack '%s'\n", w->files[mine]);
			atomic_store(&w->has_failed, true);
		}
	}
}

int
main(int argc, char **argv)
{
	pthread_t thread[MAX_THREADS];
	struct work w = { 0 };
	long n_threads = 1;
	int c, n = 0;

	while ((c = getopt(argc, argv, "t:hs")) != -1) {
		if (c == 't')
			n_threads = strtol(optarg, NULL, 10);
		else if (c == 'h')
			w.is_hashing = true;
		else if (c == 's')
			w.is_syncing = true;
		else
			return 2;
	}
	if (argc - optind < 2 || n_threads < 1 || n_threads > MAX_THREADS)
		return 2;
	w.dir = argv[optind];
	w.files = argv + optind + 1;
	w.n_files = argc - optind - 1;
	if (mkdir(w.dir, 0755) != 0 && errno != EEXIST)
		return 1;
	while (n < n_threads && pthread_create(&thread[n], NULL, worker, &w) == 0)
		n++;
	for (int i = 0; i < n; i++)
		(void)pthread_join(thread[i], NULL);
	return n == 0 || atomic_load(&w.has_failed) ? 1 : 0;
}
