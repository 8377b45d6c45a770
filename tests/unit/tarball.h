/* SPDX-License-Identifier: MIT */
/*
 * Makes archives block by block, also such as no tar program would write. Compression is gzip's way
 * to store, so that neither a library nor a program is needed.
 */
#ifndef TARBALL_H
#define TARBALL_H

#include "base/buf.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TARBALL_MAX (8u << 20)

struct tar_member {
	const char *name;
	char type; /* '0' file, '5' directory, '2' symbolic link, … as in the header; 0 = '0' */
	const char *text; /* contents */
	const char *link;
	unsigned mode;     /* 0 = 0644, directories 0755 */
	const char *size;  /* the field as it shall stand there, else computed */
	const char *magic; /* else ustar's */
};

static inline void
tar_pad(struct pp_buf *out)
{
	static const char zeros[512];

	pp_buf_add(out, zeros, (512 - out->n % 512) % 512);
}

static inline void
tar_add(struct pp_buf *out, const struct tar_member *m)
{
	unsigned char h[512] = { 0 };
	size_t n = m->text != NULL ? strlen(m->text) : 0, name_n = strlen(m->name);
	unsigned mode = m->mode != 0 ? m->mode : m->type == '5' ? 0755 : 0644, sum = 0;
	char field[32];

	memcpy(h, m->name, name_n < 100 ? name_n : 100);
	snprintf(field, sizeof(field), "%07o", mode);
	memcpy(h + 100, field, 8);
	memcpy(h + 108, "0000000\0000000000", 15);
	snprintf(field, sizeof(field), "%011zo", n);
	memcpy(h + 124, m->size != NULL ? m->size : field, 12);
	memcpy(h + 136, "00000000000", 12);
	h[156] = (unsigned char)(m->type != 0 ? m->type : '0');
	if (m->link != NULL)
		memcpy(h + 157, m->link, strlen(m->link) < 100 ? strlen(m->link) : 100);
	memcpy(h + 257, m->magic != NULL ? m->magic : "ustar\00000", 8);
	memset(h + 148, ' ', 8);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += h[i];
	snprintf(field, sizeof(field), "%06o", sum);
	memcpy(h + 148, field, 7);
	pp_buf_add(out, h, sizeof(h));
	pp_buf_add(out, m->text != NULL ? m->text : "", n);
	tar_pad(out);
}

/* A record of an extended header: "LENGTH KEY=VALUE\n". */
static inline void
tar_pax_record(struct pp_buf *out, const char *key, const char *value)
{
	char line[4096];
	int rest = (int)(strlen(key) + strlen(value)) + 3, digits = 1;

	for (int n = rest; n >= 10; n /= 10)
		digits++;
	if (snprintf(line, sizeof(line), "%d", rest + digits) > digits)
		digits++;
	snprintf(line, sizeof(line), "%d %s=%s\n", rest + digits, key, value);
	pp_buf_add(out, line, strlen(line));
}

/* An extended header of one record, for the next member. */
static inline void
tar_add_pax(struct pp_buf *out, const char *key, const char *value)
{
	PP_AUTO_BUF struct pp_buf text = PP_BUF_INIT(TARBALL_MAX);

	tar_pax_record(&text, key, value);
	tar_add(out,
	    &(struct tar_member){ .name = "PaxHeader/x", .type = 'x', .text = pp_buf_cstr(&text) });
}

/* Every archive starts so, where the case is not about the start. */
static inline void
tar_begin(struct pp_buf *out)
{
	tar_add(out, &(struct tar_member){ .name = "plugin.json", .text = "{}" });
}

static inline void
tar_end(struct pp_buf *out)
{
	static const char zeros[1024];

	pp_buf_add(out, zeros, sizeof(zeros));
}

static inline uint32_t
tar_crc32(const unsigned char *p, size_t n)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < n; i++) {
		crc ^= p[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (0xedb88320U & (0U - (crc & 1)));
	}
	return ~crc;
}

static inline void
tar_le32(struct pp_buf *out, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		pp_buf_addc(out, (char)(v >> (8 * i) & 0xff));
}

/* Appends p as a gzip file of stored blocks. */
static inline void
tar_gzip(struct pp_buf *out, const void *p, size_t n)
{
	const unsigned char *bytes = p;
	size_t at = 0;

	pp_buf_add(out, "\x1f\x8b\x08\0\0\0\0\0\0\x03", 10);
	do {
		size_t left = n - at, part = left < 65535 ? left : 65535;

		pp_buf_addc(out, part == left);
		pp_buf_addc(out, (char)(part & 0xff));
		pp_buf_addc(out, (char)(part >> 8));
		pp_buf_addc(out, (char)(~part & 0xff));
		pp_buf_addc(out, (char)(~part >> 8 & 0xff));
		pp_buf_add(out, bytes + at, part);
		at += part;
	} while (at < n);
	tar_le32(out, tar_crc32(bytes, n));
	tar_le32(out, (uint32_t)n);
}

/* The bytes as an open file; -1 when that fails. */
static inline int
tar_file(const void *p, size_t n)
{
	int fd = memfd_create("archive", MFD_CLOEXEC);

	if (fd >= 0 && n > 0 && write(fd, p, n) != (ssize_t)n) {
		close(fd);
		return -1;
	}
	if (fd >= 0)
		lseek(fd, 0, SEEK_SET);
	return fd;
}

#endif
