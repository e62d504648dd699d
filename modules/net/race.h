/* race.h - connects to the first of several addresses that answers.
 *
 * They are tried one after the other, the families in turn; the next one begins
 * when one has failed, or has not answered for a quarter of a second, and goes on
 * beside it (RFC 8305, "Happy Eyeballs"). Who loses is closed. The race itself is
 * memory of whoever runs it: libuv only knows its contenders. */
#ifndef NET_RACE_H
#define NET_RACE_H

#include <netinet/in.h>
#include <uv.h>

#include "host/origin.h"
#include "host/wheel.h"

struct contender;
struct host;
struct owner;
struct stream;

union race_name {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

struct race {
  struct host *host;
  struct owner *owner; /* of the streams; alive as long as it runs */
  struct origin origin;
  void (*on_end)(struct race *race, int status); /* perhaps at once */
  struct stream *winner; /* connected; whoever takes it sets this to NULL */
  struct contender *contenders;
  union race_name *names; /* in the order in which they are tried */
  int count, next;
  struct timeout pause; /* until the next one begins */
  int status;           /* of the last one that has failed */
};

/* One address, or all that were found, at a port. */
void race_start_one(struct race *race, const struct sockaddr *name);
void race_start(struct race *race, const struct addrinfo *found, int port);
/* Idempotent: whatever it does ends, on_end is not called any more. */
void race_stop(struct race *race);

#endif
