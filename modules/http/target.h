/* target.h - may a server be asked for this target, with this method, and for
 * which path? */
#ifndef HTTP_TARGET_H
#define HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* NULL, or what is wrong with it. `any`: the method may be asked of "*". */
const char *target_fault(const char *text, size_t size, bool any);

/* The "host:port" of an absolute-form; NULL: it has another form. */
const char *target_authority(const char *text, size_t size, size_t *length);

/* Of a target without a fault: what a handler looks at, without the query, and
 * without the scheme and the host of an absolute one. */
const char *target_path(const char *text, size_t size, size_t *path_size);

#endif
