/* client.h - one connection of a client: requests in, answers out, in order.
 *
 * It is a stream with a consumer (host/stream): bytes are parsed where they have
 * been read, and there is no Lua object for it. At most one request is being
 * served; what has arrived behind it stays in the inbox, unparsed. So an idle
 * connection is this struct and nothing else, and answers cannot overtake.
 *
 * IDLE     between two requests
 * HEAD     in the middle of the head of one
 * SERVED   its task runs, or is about to
 * DISCARD  it has been answered, and not all of its body has come
 * OVER     what comes is thrown away, what has been written goes out: the end
 *
 * It outlives the version of the program that has accepted it: each request is
 * served by the server that its service has by then. */
#ifndef HTTP_CLIENT_H
#define HTTP_CLIENT_H

#include "host/listen/service.h"
#include "host/stream/ends.h"
#include "host/stream/stream.h"
#include "host/wheel.h"
#include "modules/http/admission.h"
#include "modules/http/intake.h"

struct limits;
struct listener;
struct request;
struct server;

enum phase { PHASE_IDLE, PHASE_HEAD, PHASE_SERVED, PHASE_DISCARD, PHASE_OVER };

struct client {
  struct stream stream; /* first member */
  struct served served;
  union peer peer;
  struct admission admission;
  struct intake intake;
  struct intake_limits limits; /* of the intake: they stay for a request */
  struct timeout timeout;      /* see timeouts.c */
  uint64_t since;              /* when its phase began: loop time, ms */
  struct task *task;           /* that serves the request, or NULL */
  struct request *request;     /* what the handler sees of it, or NULL */
  size_t decoded;       /* so much of the inbox is body, and no framing */
  uint64_t taken;       /* bytes that have gone out, as last seen, */
  uint64_t taken_since; /* and since when it is no more; see timeouts.c */
  uint32_t in_flight;   /* and so many of them only into the system */
  uint32_t requests;    /* that have been served */
  uint64_t number;      /* of the request */
  char *failed_id;      /* what a script has called one that failed, or NULL */
  uint64_t leave_by;    /* the program, or its server, ends; or 0 */
  uint16_t refusal;     /* the status that the request has earned, or 0 */
  uint8_t in_a_row;     /* requests that the task has served */
  uint8_t phase;        /* an enum phase */
  bool sent;            /* the head of the answer */
  bool endless;         /* its end is that of the connection */
  bool last;            /* it ends after this answer */
};

/* For a struct listener_kind. */
void client_accept(struct listener *listener, int fd,
                   const struct sockaddr *peer);
void client_pump_served(struct served *served);

/* That serves now, or NULL: the program ends right now. */
struct server *client_server(const struct client *client);
void client_enter(struct client *client, enum phase phase);
/* Decodes what has come of the body to the front of the inbox, where nothing
 * lies there yet. */
void client_decode(struct client *client);
void client_take(struct client *client, size_t size); /* of what was decoded */
/* Its request is over, and has been answered whole, or is answered by a body
 * that may still `read` that of the request. May another one follow? If so, on
 * to it. */
bool client_may_go_on(struct client *client, bool reads);
void client_go_on(struct client *client);
/* Reads the head of the next request. True: it is there, and to be served. */
bool client_next(struct client *client);
/* The same, by a new task: true, it is ready. */
bool client_resume(struct client *client);
/* What is written to it goes through here: what fails is its end. */
int client_put(struct client *client, const char *data, size_t size);
void client_break(struct client *client, int status); /* it has failed */
/* Answers without a handler, and ends. */
void client_refuse(struct client *client, int status, const char *why);
/* When all has gone out that has been written, however long that takes a
 * client that takes it. */
void client_end(struct client *client);

/* Where it has ended its side: does its handler work, or only wait? False: that
 * was its end. */
bool client_look(struct client *client);

/* A request may be on its way when the program or its server ends: so long it
 * is waited for. */
enum { CLIENT_GRACE_MS = 500 };

/* timeouts.c */
void timeouts_arm(struct client *client); /* its phase has begun */
void timeouts_look_at(struct client *client, uint64_t due); /* or before */
void timeouts_stop(struct client *client);
uint64_t timeouts_least(const struct limits *limits); /* for limits.least_ms */

#endif
