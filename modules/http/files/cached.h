/* cached.h - looks at, opens and reads what the system has in memory, and nothing
 * else: so the loop itself may do it. What might wait, for a disk or for a server
 * of files, is UV_EAGAIN: that is for a thread of the pool. So is everything
 * where a system cannot tell. */
#ifndef HTTP_FILES_CACHED_H
#define HTTP_FILES_CACHED_H

#include <stddef.h>
#include <sys/stat.h>

/* A directory, not to be read. The descriptor, or one of libuv's statuses. */
int cached_open_root(const char *path);
/* A regular file or a directory, see beneath.h; where `root` is AT_FDCWD `path`
 * may lead anywhere. `about` is what it looked at before: another one may have its
 * name by now, see cached_stat. Of it st_dev, st_ino, st_mode, st_size and st_mtim
 * are known. */
int cached_open_to_read(int root, const char *path, struct stat *about);
/* The same, but only looks: 0, or why not. */
int cached_look(int root, const char *path, struct stat *about);
int cached_stat(int fd, struct stat *about);
/* All of `size` bytes, from the beginning. */
int cached_read(int fd, char *text, size_t size);
/* In a thread, of a regular file: may the loop look at its file system? */
void cached_learn(int fd, dev_t device);

#endif
