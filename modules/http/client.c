/* client.c - the life of a connection, from one request to the next. */
#include "modules/http/client.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/listen/accepted.h"
#include "host/listen/listener.h"
#include "host/task.h"
#include "host/wait.h"
#include "modules/http/arrival.h"
#include "modules/http/files/files.h"
#include "modules/http/refusal.h"
#include "modules/http/request.h"
#include "modules/http/send.h"
#include "modules/http/serve.h"
#include "modules/http/server.h"

static struct head *spare; /* lent to connections with a request */

struct server *client_server(const struct client *client) {
  const struct service *service = client->served.service;
  return service != NULL ? (struct server *)service->listener : NULL;
}

void client_enter(struct client *client, enum phase phase) {
  client->phase = phase;
  client->since = clock_ms(&client->stream.handle.host->clock);
  timeouts_arm(client);
}

/* ---- its end ------------------------------------------------------------- */

/* Who still sends, and is not read, would be reset, and would not get what is on
 * its way to him: so where there was an answer the stream awaits his end. */
void client_end(struct client *client) {
  struct stream *stream = &client->stream;
  if (client->phase != PHASE_IDLE) stream->awaits_end = stream->given > 0;
  client->phase = PHASE_OVER;
  stream_flush(stream);
  bool waits = stream_pending(stream) > 0 && stream->broken == 0;
  if (!waits && admission_is_crowded())
    handle_close(&stream->handle);
  else if (waits && client_server(client) != NULL)
    timeouts_arm(client);
  else
    handle_end(&stream->handle);
}

void client_break(struct client *client, int status) {
  struct stream *stream = &client->stream;
  if (stream->broken == 0) stream->broken = status;
  handle_close(&stream->handle);
}

/* Half an answer must not be followed by another one. */
int client_put(struct client *client, const char *data, size_t size) {
  struct stream *stream = &client->stream;
  if (stream->handle.closing) return UV_ECANCELED;
  int status = stream_gather(stream, data, size);
  if (status < 0) client_break(client, status);
  return status < 0 ? status : 0;
}

void client_refuse(struct client *client, int status, const char *why) {
  struct host *host = client->stream.handle.host;
  const struct head *head = client->intake.head;
  const struct refusal refusal = {.status = status,
                                  .why = why,
                                  .head_only =
                                    head != NULL && head->method == HTTP_HEAD};
  char text[REFUSAL_MOST];
  size_t size = refusal_format(text, &host->clock, &refusal);
  client_put(client, text, size);
  client->phase = PHASE_OVER;
  client_end(client);
}

/* Whoever works for it learns that nobody waits for the answer. */
static void abandon(struct client *client) {
  bool served = client->phase == PHASE_SERVED;
  client->phase = PHASE_OVER;
  if (!served) return;
  if (client->request != NULL) {
    arrival_fail(client->request, UV_ECONNRESET);
    send_pump(client->request, UV_ECONNRESET);
  }
  if (client->task != NULL) task_cancel(client->task);
}

static void on_free(struct handle *h) {
  struct client *client = (struct client *)h;
  head_free(client->intake.head);
  inbox_free(&client->stream.inbox);
  free(client->failed_id);
  stream_free(h);
}

/* ---- a body -------------------------------------------------------------- */

/* Between what has been decoded and what lies behind it framing may have been:
 * the gap is closed from below, as inboxes are read from their beginning. */
void client_decode(struct client *client) {
  struct inbox *inbox = &client->stream.inbox;
  if (client->decoded > 0 || client->intake.state != INTAKE_BODY) return;
  if (inbox->size == 0) return;
  size_t size = 0;
  size_t used = intake_body(&client->intake, inbox->bytes, inbox->size, &size);
  if (size > 0 && used > size)
    memmove(inbox->bytes + used - size, inbox->bytes, size);
  inbox_consume(inbox, used - size);
  client->decoded = size;
}

void client_take(struct client *client, size_t size) {
  inbox_consume(&client->stream.inbox, size);
  client->decoded -= size;
  if (client->stream.inbox.size < INBOX_HIGH)
    stream_resume_reading(&client->stream);
}

/* Throws away what has come. True: that was all of it. */
static bool skip(struct client *client) {
  do {
    client_decode(client);
    client_take(client, client->decoded);
  } while (client->intake.state == INTAKE_BODY &&
           client->stream.inbox.size > 0);
  return client->intake.state == INTAKE_END;
}

/* ---- from one request to the next ---------------------------------------- */

/* Does the program end, or has the script closed the server? (Then another
 * version may be about to take it up.) */
static bool is_ending(const struct client *client) {
  const struct service *service = client->served.service;
  if (client->stream.handle.host->phase != HOST_RUNNING) return true;
  if (service == NULL || service->over) return true;
  return service->listener->handle.ended && service->heir == NULL;
}

/* May another request follow this one? At the end those that have come by then,
 * or are on their way: for a moment, as some never stop. */
static bool is_to_stay(const struct client *client) {
  const struct server *server = client_server(client);
  if (server == NULL) return false;
  uint32_t most = server->limits.requests;
  if (most > 0 && client->requests >= most) return false;
  if (!is_ending(client)) return true;
  return client->stream.inbox.size > client->decoded &&
         clock_ms(&client->stream.handle.host->clock) < client->leave_by;
}

static void begin_request(struct client *client) {
  static uint64_t last_number;
  client->number = ++last_number;
  client->requests++;
  client->sent = false;
  client->refusal = 0;
  client->last = !client->intake.keep_alive;
  client_enter(client, PHASE_SERVED);
}

/* The limits are those of whoever serves now; but for a head that has begun
 * they stay, as there is room for just so much. */
static void obey(struct client *client) {
  const struct server *server = client_server(client);
  if (server != NULL) client->limits = server->limits.intake;
}

/* True: a head is whole, and its request has begun. */
static bool parse(struct client *client) {
  struct inbox *inbox = &client->stream.inbox;
  struct intake *intake = &client->intake;
  if (intake_is_between(intake)) obey(client);
  size_t used = intake_head(intake, inbox->bytes, inbox->size);
  inbox_consume(inbox, used);
  switch (intake->state) {
    case INTAKE_HEAD:
      if (client->phase == PHASE_IDLE && !intake_is_between(intake))
        client_enter(client, PHASE_HEAD);
      return false;
    case INTAKE_REFUSED:
      client_refuse(client, intake->refusal, intake->why);
      return false;
    default: begin_request(client); return true;
  }
}

/* Who does not take what it has asked for gets no more of it. */
static bool is_choked(const struct client *client) {
  return stream_pending(&client->stream) > OUTBOX_HIGH;
}

bool client_next(struct client *client) {
  if (client->phase == PHASE_OVER || is_choked(client)) return false;
  if (client_server(client) == NULL) return false;
  stream_resume_reading(&client->stream);
  if (client->phase == PHASE_DISCARD) {
    bool whole = skip(client);
    if (client->intake.state == INTAKE_REFUSED) client_end(client);
    if (!whole) return false;
    client_go_on(client);
  }
  return client->stream.inbox.size > 0 && parse(client);
}

/* Has it gone? Who ends only its own side may still take what has been asked for
 * before that: it gets it, unless a handler waits for something else than files. */
static bool has_left(const struct client *client) {
  const struct request *request = client->request;
  if (client->stream.ending == 0 || client->phase == PHASE_OVER) return false;
  if (client->task == NULL)
    return client->stream.inbox.size == 0 || client_server(client) == NULL;
  if (client->task->state != TASK_WAITING) return false;
  bool sends =
    request != NULL && (request->writers != NULL || request->is_sending);
  bool unpacks = request != NULL && arrival_is_behind(request);
  return !sends && !unpacks && client->task->wait->name != files_waits;
}

bool client_resume(struct client *client) {
  if (client->task != NULL) return false;
  if (client_next(client)) {
    if (serve_start(client)) return true;
    client_refuse(client, 503, NULL);
  } else if (has_left(client)) {
    client_end(client);
  }
  return false;
}

enum { DISCARD_MOST = 65536 };

/* Is it worth it to read what is left of a body that nobody wants? How long
 * chunks will be nobody knows. */
static bool is_short(struct client *client) {
  const struct intake *intake = &client->intake;
  if (intake->expects_continue) return false;
  return intake->chunked ? skip(client) : intake->left <= DISCARD_MOST;
}

bool client_may_go_on(struct client *client, bool reads) {
  if (client->last || client->phase == PHASE_OVER) return false;
  if (!client->sent && !is_to_stay(client)) return false; /* it says so */
  if (client->intake.state == INTAKE_END) return true;
  return client->intake.state == INTAKE_BODY && (reads || is_short(client));
}

void client_go_on(struct client *client) {
  client_take(client, client->decoded);
  if (client->intake.state == INTAKE_END) {
    head_give_back(client->intake.head, &spare);
    client->intake.head = NULL;
    intake_next(&client->intake);
    client_enter(client, PHASE_IDLE);
  } else {
    client_enter(client, PHASE_DISCARD);
  }
}

/* ---- the end of the program, or of its server ---------------------------- */

/* What rests ends soon; the others after their answer, which says so. */
static void leave(struct client *client) {
  if (client->leave_by != 0) return;
  uint64_t now = clock_ms(&client->stream.handle.host->clock);
  client->leave_by = now + CLIENT_GRACE_MS;
  if (client->phase == PHASE_IDLE) client_enter(client, PHASE_IDLE);
}

static void drain(struct work *work) {
  leave((struct client *)work);
}

/* Its server ends, or another one with other limits follows. */
void client_pump_served(struct served *served) {
  struct client *client = served->connection;
  admission_count(client);
  if (is_ending(client))
    leave(client);
  else
    timeouts_arm(client);
}

/* ---- as the consumer of its stream --------------------------------------- */

enum { LOOK_AGAIN_MS = 100 };

static bool step(struct client *client) {
  if (client->request != NULL) {
    send_pump(client->request, 0);
    return arrival_pump(client->request);
  }
  /* Where nothing is left of what was lent, it has time: many requests of one
   * turn cost less than each by itself. */
  return client_resume(client) && client->stream.inbox.size > 0;
}

static bool give_up(struct client *client) {
  abandon(client);
  if (client->task == NULL) client_end(client);
  return client->task != NULL;
}

static bool pump(struct stream *stream) {
  struct client *client = (struct client *)stream;
  if (stream->handle.closing) {
    timeouts_stop(client);
    admission_leave(client);
  } else if (stream->handle.ended) {
    admission_part(client);
  }
  if (stream->handle.closing || stream->handle.ended) {
    abandon(client);
    return false;
  }
  if (client->phase == PHASE_OVER && client->task == NULL) {
    inbox_consume(&stream->inbox, stream->inbox.size);
    client->decoded = 0;
    client_end(client);
    return false;
  }
  bool lost = stream->ending != 0 && stream->ending != UV_EOF;
  if (lost || stream->broken != 0) return give_up(client);
  bool ready = step(client);
  if (stream->ending == 0 || client->phase == PHASE_OVER) return ready;
  if (has_left(client)) return give_up(client);
  uint64_t now = clock_ms(&stream->handle.host->clock);
  timeouts_look_at(client, now + LOOK_AGAIN_MS);
  return ready;
}

static bool is_busy(const struct stream *stream) {
  const struct client *client = (const struct client *)stream;
  if (client->task == NULL) return is_choked(client);
  return !arrival_is_starved(client->request);
}

/* What its handler did when its end came, it may have done by now. */
bool client_look(struct client *client) {
  const struct handle *h = &client->stream.handle;
  if (client->stream.ending != 0) pump(&client->stream);
  return !h->closing && !h->ended;
}

static const struct stream_consumer consumer = {pump, is_busy};

/* ---- its beginning ------------------------------------------------------- */

static void push_name(lua_State *L, const struct stream *stream) {
  (void)stream;
  lua_pushliteral(L, "request");
}

static const struct stream_kind kind = {.work = {.name = "http connection",
                                                 .stop = handle_stop,
                                                 .drain = drain,
                                                 .lasts = true},
                                        .class_name = "neap.http.client",
                                        .size = sizeof(struct client),
                                        .push_name = push_name,
                                        .is_socket = true};

void client_accept(struct listener *listener, int fd,
                   const struct sockaddr *peer) {
  struct server *server = (struct server *)listener;
  struct stream *stream = accepted_new(listener, fd, &kind);
  struct client *client = (struct client *)stream;
  if (stream == NULL) return;
  stream->handle.on_free = on_free;
  stream->consumer = &consumer;
  stream->served = true;
  peer_set(&client->peer, peer);
  client->limits = server->limits.intake;
  intake_init(&client->intake, &client->limits, &spare);
  stream_start(stream);
  const char *why = admission_enter(client, server);
  if (why == NULL)
    client_enter(client, PHASE_IDLE);
  else
    client_refuse(client, 503, why);
  if (is_ending(client)) leave(client); /* it was the last call */
}
