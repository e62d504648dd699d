/* await.h - one event of the poller, for C: a descriptor is ready, or some real
 * time has passed. Nobody's memory is borrowed: the descriptor may be closed
 * while it is awaited, and awaited by several. */
#ifndef HOST_AWAIT_H
#define HOST_AWAIT_H

#include <stdint.h>

struct await;
struct host;

typedef void await_event(void *data);

/* All call `event` once, on the loop; after that the await is gone, as it is
 * after await_stop. `events` are libuv's: UV_READABLE, UV_WRITABLE. Return a
 * status, UV_EPERM for a descriptor that never waits. */
int await_fd(struct await **await, struct host *host, int fd, int events,
             await_event *event, void *data);
/* The same for one that the caller alone has, and closes after the await. */
int await_own_fd(struct await **await, struct host *host, int fd, int events,
                 await_event *event, void *data);
int await_ms(struct await **await, struct host *host, uint64_t ms,
             await_event *event, void *data);
void await_stop(struct await *await);

#endif
