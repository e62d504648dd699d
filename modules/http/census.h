/* census.h - how many connections each address has, without its port.
 *
 * Only those are counted that are told of, and only addresses with a connection
 * are kept: a hash of counts, each in constant time. Its seed is drawn, so that
 * nobody can choose addresses that all fall into one place. No libuv handle and
 * no Lua. */
#ifndef HTTP_CENSUS_H
#define HTTP_CENSUS_H

union peer;
struct neighbours; /* the connections of one address, at one place */

/* One more at this address; `place` tells services apart. NULL: not counted, it
 * has no address (a Unix socket), or there is no memory. */
struct neighbours *census_enter(const void *place, const union peer *peer);
void census_leave(struct neighbours *neighbours); /* or NULL */
unsigned census_count(const struct neighbours *neighbours);

#endif
