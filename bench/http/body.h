/* body - a long body that has to be what is in a file, as it is or compressed
 * as gzip. The first one is kept, decoded and compared with the file; all later
 * ones have to have the bytes of the first. So only one may be under way until
 * body_end() was called. */
#ifndef BENCH_HTTP_BODY_H
#define BENCH_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>

enum { BODY_MOST = 64 * 1024 * 1024 };

void body_expect(const char *path, bool gzip);

/* The value of Content-Encoding, or NULL. */
void body_begin(const char *encoding);

/* `at`: how much of this body came before. */
void body_take(size_t at, const char *bytes, size_t size);
void body_end(size_t size);

/* What it has, as it is sent. */
size_t body_size(void);

#endif
