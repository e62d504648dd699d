/* takeover.h - the socket of a new listener: its own, or that of the version
 * before. */
#ifndef HOST_LISTEN_TAKEOVER_H
#define HOST_LISTEN_TAKEOVER_H

#include "host/address.h"

struct listener;
struct owner;

/* The address as it was asked for, in numbers: "127.0.0.1:0". */
void takeover_format(const struct address *address, char text[ADDRESS_TEXT]);
/* The one of the live version at this address that it is to follow, or NULL. */
struct listener *takeover_find(const struct owner *owner, const char *asked);
/* A descriptor that listens, or one of libuv's errors: a copy of that of the
 * listener `before`, or, where it is NULL, a new one. */
int takeover_socket(const struct owner *owner, const struct listener *before,
                    const struct address *address, const char *asked);

#endif
