/* arrival.c - from the inbox of a connection to the task that waits for a body.
 *
 * Nothing is decoded before somebody waits for it, so a slow handler pushes back
 * on its client. What comes packed is unpacked on the way, no piece before it is
 * asked for. What is read whole is gathered in memory that grows with what has
 * really come, whatever length was announced. */
#include "modules/http/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/task.h"
#include "modules/http/client.h"
#include "modules/http/server.h"
#include "modules/http/unpacking.h"

enum { SLOW_AFTER_MS = 10000 };
enum { IN_A_ROW = 4 }; /* pieces that are unpacked before others have a turn */

/* ---- what has come ------------------------------------------------------- */

void arrival_refuse(struct request *request, int answer) {
  struct client *client = request->client;
  if (client != NULL && client->refusal == 0)
    client->refusal = (uint16_t)answer;
}

void arrival_end(struct request *request, int status, int answer) {
  request->body.status = status;
  arrival_refuse(request, answer);
}

const char *arrival_piece(const struct request *request, size_t *size) {
  const struct unpacking *unpacking = request->body.unpacking;
  const struct client *client = request->client;
  *size = unpacking != NULL ? unpacking->feed.output.size : client->decoded;
  return unpacking != NULL ? (const char *)unpacking->feed.output.data
                           : client->stream.inbox.bytes;
}

void arrival_take_piece(struct request *request) {
  struct unpacking *unpacking = request->body.unpacking;
  if (unpacking != NULL)
    unpacking_clear(unpacking);
  else
    client_take(request->client, request->client->decoded);
}

static bool has_piece(const struct request *request) {
  size_t size;
  arrival_piece(request, &size);
  return size > 0;
}

static bool is_whole(const struct request *request) {
  const struct unpacking *unpacking = request->body.unpacking;
  if (has_piece(request)) return false;
  return unpacking != NULL ? unpacking->ended
                           : request->client->intake.state != INTAKE_BODY;
}

bool arrival_is_enough(const struct request *request) {
  const struct body *body = &request->body;
  if (body->status != 0 || is_whole(request)) return true;
  return body->use == BODY_PIECES && has_piece(request);
}

/* ---- giving way ----------------------------------------------------------- */

static struct clock *clock_of(const struct request *request) {
  return &request->client->stream.handle.host->clock;
}

bool arrival_is_behind(const struct request *request) {
  const struct unpacking *unpacking = request->body.unpacking;
  return unpacking != NULL && wheel_has(&unpacking->again);
}

static void on_again(struct timeout *timeout) {
  struct request *request = timeout->data;
  clock_release(clock_of(request));
  arrival_pump(request);
}

/* A few bytes may become many: who reads them whole goes on in the next turn. It
 * has all it needs, so that keeps the loop alive. */
static void give_way(struct request *request) {
  struct timeout *again = &request->body.unpacking->again;
  if (wheel_has(again)) return;
  again->fire = on_again;
  again->data = request;
  clock_hold(clock_of(request));
  clock_set(clock_of(request), again, clock_ms(clock_of(request)));
}

static void stop_again(struct request *request) {
  if (!arrival_is_behind(request)) return;
  clock_cancel(clock_of(request), &request->body.unpacking->again);
  clock_release(clock_of(request));
}

/* ---- from what was sent to the next piece --------------------------------- */

/* What was sent, as it is. True: some of it lies ready. */
static bool decode(struct request *request) {
  struct client *client = request->client;
  struct body *body = &request->body;
  while (body->status == 0 && client->decoded == 0 &&
         client->stream.inbox.size > 0 && client->intake.state == INTAKE_BODY) {
    client_decode(client);
    body->received += client->decoded;
    if (client->intake.state == INTAKE_REFUSED)
      arrival_end(request, UV_EPROTO, client->intake.refusal);
    else if (body->received > body->limit)
      arrival_end(request, UV_EMSGSIZE, 413);
  }
  return body->status == 0 && client->decoded > 0;
}

static int answer_to(int status) {
  if (status == UV_EMSGSIZE) return 413;
  return status == UV_ENOMEM ? 503 : 400;
}

/* (Nothing at all is an empty body, whatever it is said to be packed in.) */
static bool unpack(struct request *request) {
  struct client *client = request->client;
  struct body *body = &request->body;
  struct unpacking *unpacking = body->unpacking;
  int status = 0;
  while (status == 0 && !unpacking->ended && !has_piece(request)) {
    bool more = decode(request), last = client->intake.state == INTAKE_END;
    if (body->status != 0) return false;
    if (last && body->received == 0) unpacking->ended = true;
    if (unpacking->ended || !(more || last || unpacking->holds)) return false;
    size_t used = unpacking_take(unpacking, client->stream.inbox.bytes,
                                 client->decoded, last, body->limit, &status);
    client_take(client, used);
  }
  if (status != 0) arrival_end(request, status, answer_to(status));
  return status == 0 && has_piece(request);
}

static bool reserve(struct body *body, size_t more) {
  size_t needed = body->size + more;
  if (needed <= body->capacity) return true;
  size_t capacity = 2 * body->capacity > needed ? 2 * body->capacity : needed;
  char *bytes = realloc(body->bytes, capacity);
  if (bytes == NULL) return false;
  body->bytes = bytes;
  body->capacity = capacity;
  return true;
}

static void gather(struct request *request) {
  struct body *body = &request->body;
  size_t size;
  const char *piece = arrival_piece(request, &size);
  if (!reserve(body, size)) {
    arrival_end(request, UV_ENOMEM, 503);
    return;
  }
  memcpy(body->bytes + body->size, piece, size);
  body->size += size;
  arrival_take_piece(request);
}

void arrival_advance(struct request *request) {
  const struct body *body = &request->body;
  int pieces = 0;
  while (!arrival_is_enough(request)) {
    if (body->unpacking != NULL && pieces++ == IN_A_ROW) {
      give_way(request);
      return;
    }
    if (!(body->unpacking != NULL ? unpack(request) : decode(request))) return;
    if (body->use == BODY_WHOLE) gather(request);
  }
}

/* ---- who is woken --------------------------------------------------------- */

static bool is_waiting(const struct request *request) {
  const struct task *reader = request->body.reader;
  return reader != NULL && reader->state == TASK_WAITING;
}

/* Who only lets others have a turn has what it wants already. */
bool arrival_is_starved(const struct request *request) {
  return request != NULL && is_waiting(request) && !arrival_is_behind(request);
}

static void wake(struct request *request) {
  struct body *body = &request->body;
  if (!is_waiting(request)) return;
  body->waited += clock_ms(clock_of(request)) - body->since;
  task_wake(body->reader, 0);
}

bool arrival_is_wanted(const struct request *request) {
  return request != NULL && request->body.reader != NULL;
}

bool arrival_pump(struct request *request) {
  if (!arrival_is_wanted(request)) return false;
  arrival_advance(request);
  if (!arrival_is_enough(request)) return false;
  wake(request);
  return true;
}

void arrival_fail(struct request *request, int status) {
  if (request->body.status == 0) request->body.status = status;
  wake(request);
}

void arrival_close(struct request *request) {
  if (!request->body.is_none) arrival_fail(request, UV_ECANCELED);
  free(request->body.bytes);
  request->body.bytes = NULL;
  stop_again(request);
  unpacking_free(request->body.unpacking);
  request->body.unpacking = NULL;
}

/* ---- who waits for it ----------------------------------------------------- */

void arrival_invite(struct client *client) {
  static const char line[] = "HTTP/1.1 100 Continue\r\n\r\n";
  if (!client->intake.expects_continue || client->sent) return;
  client->intake.expects_continue = false;
  if (client->stream.inbox.size > 0 || client->request->body.received > 0)
    return; /* it has not waited */
  client_put(client, line, sizeof line - 1);
  stream_flush(&client->stream);
}

void arrival_expect(struct request *request) {
  struct client *client = request->client;
  struct body *body = &request->body;
  body->since = clock_ms(clock_of(request));
  stream_resume_reading(&client->stream);
  timeouts_look_at(client, body->since + SLOW_AFTER_MS);
}

/* ---- how long it may take ------------------------------------------------ */

/* Only the time that somebody has waited for it counts. */
bool arrival_is_slow(const struct request *request, uint64_t now) {
  const struct body *body = &request->body;
  if (!arrival_is_starved(request)) return false;
  const struct server *server = client_server(request->client);
  uint64_t waited = body->waited + (now - body->since);
  if (server == NULL || waited < SLOW_AFTER_MS) return false;
  return body->received * 1000 < server->limits.body_rate * waited;
}
