/* bind.h - from an address to a socket that is bound to it. */
#ifndef HOST_LISTEN_BIND_H
#define HOST_LISTEN_BIND_H

#include "host/address.h"

/* A stream socket, or -1 with errno. It does not block, and children do not
 * inherit it. */
int bind_open_socket(int family);
/* The same, bound; or one of libuv's errors. */
int bind_socket(const struct address *address, bool shares);
/* Sockets that share may have the same port, if their addresses differ and all
 * of them share, at this moment. */
void bind_share(int fd, bool shares);

#endif
