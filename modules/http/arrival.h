/* arrival.h - how the body of a request comes, and who is woken by it. */
#ifndef HTTP_ARRIVAL_H
#define HTTP_ARRIVAL_H

#include <stdbool.h>
#include <stdint.h>

#include "modules/http/request.h"

struct client;

/* ---- for who reads it ------------------------------------------------------ */

/* Decodes what is there; where pieces are read, up to the next one. */
void arrival_advance(struct request *request);
/* The next bytes of it that lie ready, and to take them. */
const char *arrival_piece(const struct request *request, size_t *size);
void arrival_take_piece(struct request *request);
/* There is what was asked for, or nothing more will come. */
bool arrival_is_enough(const struct request *request);
/* Who has announced a body may wait for this before it sends it. It cannot come
 * when the answer has begun. */
void arrival_invite(struct client *client);
void arrival_expect(struct request *request); /* a task waits from now on */
/* It ends here, with this status. */
void arrival_end(struct request *request, int status, int answer);
/* It is the client's fault: if the handler fails, this is the answer. */
void arrival_refuse(struct request *request, int answer);

/* ---- for the connection ---------------------------------------------------- */

/* Something has come, or nothing more will: true, a task is ready for it. */
bool arrival_pump(struct request *request);
bool arrival_is_wanted(const struct request *request); /* or NULL */
/* Somebody waits for what the client has not sent yet: else nothing more need be
 * read. (Or NULL.) */
bool arrival_is_starved(const struct request *request);
/* It has given way while it was unpacked, and goes on by itself. */
bool arrival_is_behind(const struct request *request);
/* The connection has ended, or answers with this status: nothing more comes. */
void arrival_fail(struct request *request, int status);
void arrival_close(struct request *request); /* the request is over */
/* For timeouts.c: has somebody waited for it, and it has come too slowly? */
bool arrival_is_slow(const struct request *request, uint64_t now);

#endif
