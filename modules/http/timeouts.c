/* timeouts.c - how long a client may take, and a handler.
 *
 * One timeout a connection, and it is seldom moved: each phase only writes down
 * when it has begun. When the timeout fires it looks whether a limit is really
 * over, and else sets itself anew. So a request costs no timer at all; only a
 * phase whose limit is before what is set moves it. */
#include "host/host.h"
#include "host/task.h"
#include "modules/http/arrival.h"
#include "modules/http/client.h"
#include "modules/http/request.h"
#include "modules/http/server.h"

enum { NEVER = 0, BODY_LOOK_MS = 2000, LOOKS = 4 };

#define UNKNOWN UINT32_MAX

static struct clock *clock_of(const struct client *client) {
  return &client->stream.handle.host->clock;
}

static bool takes_file(const struct client *client) {
  return client->request != NULL && client->request->is_sending;
}

static bool is_taking(const struct client *client) {
  return stream_pending(&client->stream) > 0 || takes_file(client);
}

/* What the phase may last, NEVER: as long as it likes. */
static uint64_t limit_of(const struct client *client,
                         const struct limits *limits) {
  switch (client->phase) {
    case PHASE_IDLE:
      if (client->leave_by != 0) return CLIENT_GRACE_MS;
      return client->requests == 0 ? limits->header_ms : limits->idle_ms;
    case PHASE_HEAD:
    case PHASE_DISCARD: return limits->header_ms;
    case PHASE_SERVED: return client->sent ? NEVER : limits->handler_ms;
    default: return NEVER;
  }
}

/* ---- when it is over ----------------------------------------------------- */

static void end_phase(struct client *client) {
  switch (client->phase) {
    case PHASE_HEAD: client_refuse(client, 408, NULL); break;
    case PHASE_SERVED: task_cancel(client->task); break;
    default: client_end(client);
  }
}

/* The system takes in bursts what it has much room for: so at times it is asked
 * how much of that has arrived. */
static void note_taken(struct client *client, uint64_t now,
                       uint32_t in_flight) {
  uint64_t taken = client->stream.given - stream_pending(&client->stream);
  bool more = taken != client->taken || client->taken_since == 0;
  if (in_flight != UNKNOWN && client->in_flight != UNKNOWN)
    more = more || in_flight != client->in_flight;
  if (more || in_flight != UNKNOWN) client->in_flight = in_flight;
  if (!more) return;
  client->taken = taken; /* fewer bytes than were given by now: see is_taking */
  client->taken_since = now;
}

/* Has the client taken nothing of what lies ready for it, for so long? A client
 * that takes some is looked at a few times within that. */
static bool is_stuck(struct client *client, uint64_t now, uint64_t limit) {
  if (limit == NEVER || !is_taking(client)) return false;
  uint32_t in_flight = (uint32_t)stream_in_flight(&client->stream);
  note_taken(client, now, in_flight);
  bool has_all = in_flight == 0 && stream_pending(&client->stream) == 0;
  if (has_all) client->taken_since = now; /* it waits for a disk, or a thread */
  return now - client->taken_since >= limit;
}

static void watch_body(struct client *client, uint64_t now, uint32_t rate) {
  if (rate == NEVER) return;
  if (arrival_is_slow(client->request, now)) {
    if (client->refusal == 0) client->refusal = 408;
    arrival_fail(client->request, UV_ETIMEDOUT);
  } else if (arrival_is_wanted(client->request)) {
    timeouts_look_at(client, now + BODY_LOOK_MS);
  }
}

static uint64_t sooner(uint64_t a, uint64_t b) {
  return a < b ? a : b;
}

static void on_timeout(struct timeout *timeout) {
  struct client *client = timeout->data;
  const struct server *server = client_server(client);
  if (server == NULL) return;
  const struct limits *limits = &server->limits;
  uint64_t now = clock_ms(clock_of(client)), limit = limit_of(client, limits);
  if (is_stuck(client, now, limits->write_ms)) {
    handle_close(&client->stream.handle);
    return;
  }
  if (client->phase == PHASE_IDLE && is_taking(client)) client->since = now;
  if (limit != NEVER && now - client->since >= limit) {
    end_phase(client);
    return;
  }
  if (!client_look(client)) return;
  if (client->request != NULL) watch_body(client, now, limits->body_rate);
  timeouts_arm(client);
}

static uint64_t least_of(uint64_t a, uint64_t limit) {
  return limit != NEVER && limit < a ? limit : a;
}

uint64_t timeouts_least(const struct limits *limits) {
  uint64_t least = least_of(UINT32_MAX, limits->header_ms);
  least = least_of(least, limits->idle_ms);
  least = least_of(least, limits->handler_ms);
  return least_of(least, limits->write_ms);
}

/* ---- set ----------------------------------------------------------------- */

void timeouts_look_at(struct client *client, uint64_t due) {
  if (wheel_has(&client->timeout)) {
    if (client->timeout.due <= due) return;
    clock_cancel(clock_of(client), &client->timeout);
  }
  client->timeout.fire = on_timeout;
  client->timeout.data = client;
  clock_set(clock_of(client), &client->timeout, due);
}

/* When to look at its output again. */
static uint64_t next_look(struct client *client, uint64_t limit) {
  uint64_t now = clock_ms(clock_of(client));
  note_taken(client, now, UNKNOWN);
  return sooner(client->taken_since + limit, now + (limit + LOOKS - 1) / LOOKS);
}

/* As mostly: it is set to look again before any limit can be over. */
static bool looks_in_time(const struct client *client,
                          const struct limits *limits) {
  return wheel_has(&client->timeout) && client->leave_by == 0 &&
         uv_stream_get_write_queue_size(&client->stream.uv.stream) == 0 &&
         !takes_file(client) &&
         client->timeout.due <= client->since + limits->least_ms;
}

void timeouts_arm(struct client *client) {
  const struct server *server = client_server(client);
  uint64_t due = UINT64_MAX, limit;
  if (server == NULL) return;
  if (looks_in_time(client, &server->limits)) return;
  limit = limit_of(client, &server->limits);
  if (limit != NEVER) due = client->since + limit;
  if (server->limits.write_ms != NEVER && is_taking(client))
    due = sooner(due, next_look(client, server->limits.write_ms));
  if (due != UINT64_MAX) timeouts_look_at(client, due);
}

void timeouts_stop(struct client *client) {
  clock_cancel(clock_of(client), &client->timeout);
}
