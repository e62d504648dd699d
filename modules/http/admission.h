/* admission.h - who may come in: not more connections than the server's limits
 * have it, in all and of each address.
 *
 * Who is turned away gets an answer, and some time to read it, but is none of
 * the server's connections: so those never keep others out. They are bounded
 * by themselves. */
#ifndef HTTP_ADMISSION_H
#define HTTP_ADMISSION_H

#include <stdbool.h>

struct client;
struct neighbours;
struct server;

struct admission {               /* of a connection */
  struct neighbours *neighbours; /* it is counted among them, or NULL */
  bool turned_away;
};

/* So many have been turned away, and are still there, that the next one gets no
 * answer. */
bool admission_is_crowded(void);
/* Makes it one of the server's connections, and returns NULL; or why not. */
const char *admission_enter(struct client *client, struct server *server);
/* The server may count addresses by now, and not have done so before. */
void admission_count(struct client *client);
void admission_leave(struct client *client); /* idempotent */

#endif
