/* arrival.c - from the inbox of a connection to the task that waits for a body.
 *
 * Nothing is decoded before somebody waits for it, so a slow handler pushes back
 * on its client. What is read whole is gathered in memory that grows with what
 * has really come, whatever length was announced. */
#include "modules/http/arrival.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "host/task.h"
#include "modules/http/client.h"
#include "modules/http/server.h"

enum { SLOW_AFTER_MS = 10000 };

/* ---- what has come ------------------------------------------------------- */

void arrival_refuse(struct request *request, int answer) {
  struct client *client = request->client;
  if (client != NULL && client->refusal == 0) client->refusal = answer;
}

void arrival_end(struct request *request, int status, int answer) {
  request->body.status = status;
  arrival_refuse(request, answer);
}

static bool is_whole(const struct request *request) {
  return request->client->intake.state != INTAKE_BODY &&
         request->client->decoded == 0;
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
  struct client *client = request->client;
  struct body *body = &request->body;
  if (!reserve(body, client->decoded)) {
    arrival_end(request, UV_ENOMEM, 503);
    return;
  }
  memcpy(body->bytes + body->size, client->stream.inbox.bytes, client->decoded);
  body->size += client->decoded;
  client_take_decoded(client);
}

/* Decodes what is there; where pieces are read, up to the next one. */
void arrival_advance(struct request *request) {
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
    else if (body->use == BODY_WHOLE && client->decoded > 0)
      gather(request);
  }
}

bool arrival_is_enough(const struct request *request) {
  const struct body *body = &request->body;
  if (body->status != 0 || is_whole(request)) return true;
  return body->use == BODY_PIECES && request->client->decoded > 0;
}

/* Who only lets others have a turn has what it wants already. */
static bool is_awaited(const struct request *request) {
  const struct task *reader = request->body.reader;
  return reader != NULL && reader->state == TASK_WAITING;
}

static void wake(struct request *request) {
  struct body *body = &request->body;
  if (!is_awaited(request)) return;
  struct host *host = request->client->stream.handle.host;
  body->waited += clock_ms(&host->clock) - body->since;
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
  body->since = clock_ms(&client->stream.handle.host->clock);
  stream_resume_reading(&client->stream);
  timeouts_look_at(client, body->since + SLOW_AFTER_MS);
}

/* ---- how long it may take ------------------------------------------------ */

/* Only the time that somebody has waited for it counts. */
bool arrival_is_slow(const struct request *request, uint64_t now) {
  const struct body *body = &request->body;
  if (!is_awaited(request)) return false;
  const struct server *server = client_server(request->client);
  uint64_t waited = body->waited + (now - body->since);
  if (server == NULL || waited < SLOW_AFTER_MS) return false;
  return body->received * 1000 < server->limits.body_rate * waited;
}
