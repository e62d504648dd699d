/* bind.h - from an address to a socket that is bound to it. */
#ifndef NET_BIND_H
#define NET_BIND_H

#include "host/address.h"

/* The descriptor, or one of libuv's errors. It does not block, and children do
 * not inherit it. */
int bind_socket(const struct address *address);

#endif
