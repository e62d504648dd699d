/* atomic.h - writes a file whole or not at all, for threads of the pool. */
#ifndef MODULES_FS_ATOMIC_H
#define MODULES_FS_ATOMIC_H

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

/* A status. UV_EAGAIN: too many are writing this file, try again later. `mode`
 * is for a file that is new. It ends early, and leaves the old file, when
 * somebody sets `given_up`. */
int atomic_write(const char *path, mode_t mode, const char *data, size_t size,
                 atomic_bool *given_up);

#endif
