/* closing.h - a descriptor is closed, where that may take its time. */
#ifndef HOST_CLOSING_H
#define HOST_CLOSING_H

struct host;

/* In a thread of the pool; here and now without memory. */
void close_in_thread(struct host *host, int fd);

#endif
