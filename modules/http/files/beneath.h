/* beneath.h - opens what lies below a directory, and nothing else: neither "..",
 * nor an absolute link, nor one that leads out gets past it. For threads of the
 * pool: no Lua, no loop. */
#ifndef HTTP_FILES_BENEATH_H
#define HTTP_FILES_BENEATH_H

#include <sys/stat.h>

/* Where a system can only refuse all links (see beneath.c) they are refused.
 * `name` is relative, "" the directory itself. The descriptor, or one of libuv's
 * statuses. */
int beneath_open(int root, const char *name, int flags);

/* The same for reading: of a regular file or a directory, everything else is
 * UV_ENXIO, and has not been opened: neither has a pipe waited for who writes,
 * nor has a device noticed. What is there is told by `about`. */
int beneath_open_to_read(int root, const char *name, struct stat *about);

#endif
