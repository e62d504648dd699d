/* descriptor.h - open, read and write for threads of the pool: never held up by
 * a file that is not ready, as a pipe may be. All are opened O_NONBLOCK, which
 * says nothing to regular files. Statuses are libuv's. No Lua, no loop, but for
 * descriptor_close. */
#ifndef MODULES_FS_DESCRIPTOR_H
#define MODULES_FS_DESCRIPTOR_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct host;

int descriptor_status(void); /* of errno */
/* The descriptor, or a status. UV_ENXIO: it is a pipe that nobody reads, and to
 * be tried again (or, where descriptor_is_pipe says no, a socket). */
int descriptor_open(const char *path, int flags, mode_t mode);
bool descriptor_is_pipe(const char *path);
/* The number of bytes, or a status: UV_EAGAIN where it would have to wait. */
ssize_t descriptor_read(int fd, char *bytes, size_t size);
ssize_t descriptor_write(int fd, const char *bytes, size_t size);
/* As far as it goes: `data` and `size` are then what is left. UV_ECANCELED when
 * somebody sets `given_up`. */
int descriptor_write_all(int fd, const char **data, size_t *size,
                         atomic_bool *given_up);
/* A pipe that nobody has opened for writing gives an end of file at once, which
 * is not what its reader waits for: this is false until somebody has. */
bool descriptor_has_input(int fd);

/* From the loop: in a thread, where it may take long. */
void descriptor_close(struct host *host, int fd);

#endif
