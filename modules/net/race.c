/* race.c - addresses that are tried beside each other. */
#include "modules/net/race.h"

#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "modules/net/connection.h"

enum {
  PAUSE_MS = 250, /* RFC 8305, 5: "Connection Attempt Delay" */
  NAMES_MOST = 64
};

struct contender {
  uv_connect_t uv;
  struct host *host;
  struct race *race; /* NULL: it is over, for this one */
  struct stream *stream;
  struct contender *next;
};

/* ---- the end ------------------------------------------------------------- */

static void stop_pause(struct race *race) {
  if (!wheel_has(&race->pause)) return;
  clock_cancel(&race->host->clock, &race->pause);
  clock_release(&race->host->clock);
}

static void drop(struct stream *stream) {
  handle_close(&stream->handle);
  handle_leave(&stream->handle);
}

/* Their requests still end, in on_connect. */
static void stop_all(struct race *race) {
  stop_pause(race);
  while (race->contenders != NULL) {
    struct contender *contender = race->contenders;
    race->contenders = contender->next;
    contender->race = NULL;
    drop(contender->stream);
  }
  free(race->names);
  race->names = NULL;
  race->next = race->count = 0;
}

void race_stop(struct race *race) {
  stop_all(race);
  if (race->winner != NULL) drop(race->winner);
  race->winner = NULL;
}

static void end(struct race *race, struct stream *winner, int status) {
  stop_all(race);
  race->winner = winner;
  race->on_end(race, status);
}

/* ---- one after the other ------------------------------------------------- */

static void try_next(struct race *race);

static void take_out(struct contender *contender) {
  struct contender **place = &contender->race->contenders;
  while (*place != contender) place = &(*place)->next;
  *place = contender->next;
}

/* What is stopped by its owner ends the race: there is no more use for it. */
static void settle(struct race *race, struct stream *stream, int status) {
  if (stream->handle.closing) {
    drop(stream);
    end(race, NULL, UV_ECANCELED);
    return;
  }
  if (status == 0) {
    peer_learn(&((struct connection *)stream)->peer, stream);
    status = stream_start(stream);
  }
  if (status == 0) {
    end(race, stream, 0);
    return;
  }
  drop(stream);
  race->status = status;
  stop_pause(race);
  try_next(race);
}

static void on_connect(uv_connect_t *uv, int status) {
  struct contender *contender = uv->data;
  struct race *race = contender->race;
  contender->host->peer_requests--;
  if (race != NULL) {
    take_out(contender);
    settle(race, contender->stream, status);
  }
  free(contender);
}

static int begin(struct contender *contender, const struct sockaddr *name) {
  struct race *race = contender->race;
  struct connection *connection =
    connection_new(race->host, race->owner, UV_TCP);
  if (connection == NULL) return UV_ENOMEM;
  struct stream *stream = &connection->stream;
  handle_use(&stream->handle); /* its owner may stop it meanwhile */
  stream->handle.origin = race->origin;
  uv_tcp_nodelay(&stream->uv.tcp, 1);
  int status =
    uv_tcp_connect(&contender->uv, &stream->uv.tcp, name, on_connect);
  if (status < 0) {
    drop(stream);
    return status;
  }
  race->host->peer_requests++;
  contender->stream = stream;
  contender->next = race->contenders;
  race->contenders = contender;
  return 0;
}

static int try_one(struct race *race, const struct sockaddr *name) {
  struct contender *contender = calloc(1, sizeof *contender);
  if (contender == NULL) return UV_ENOMEM;
  contender->uv.data = contender;
  contender->host = race->host;
  contender->race = race;
  int status = begin(contender, name);
  if (status < 0) free(contender);
  return status;
}

static void on_pause(struct timeout *timeout) {
  struct race *race = timeout->data;
  clock_release(&race->host->clock);
  try_next(race);
}

static void set_pause(struct race *race) {
  struct clock *clock = &race->host->clock;
  race->pause.fire = on_pause;
  race->pause.data = race;
  clock_hold(clock);
  clock_set(clock, &race->pause, clock_after_ms(clock, PAUSE_MS));
}

static void try_next(struct race *race) {
  while (race->next < race->count) {
    int status = try_one(race, &race->names[race->next++].any);
    if (status == 0) {
      if (race->next < race->count) set_pause(race);
      return;
    }
    race->status = status;
  }
  if (race->contenders == NULL) end(race, NULL, race->status);
}

/* ---- start --------------------------------------------------------------- */

static bool reserve(struct race *race, int count) {
  race->names = calloc((size_t)count, sizeof *race->names);
  if (race->names == NULL) end(race, NULL, UV_ENOMEM);
  return race->names != NULL;
}

void race_start_one(struct race *race, const struct sockaddr *name) {
  if (!reserve(race, 1)) return;
  if (name->sa_family == AF_INET)
    memcpy(&race->names[0], name, sizeof(struct sockaddr_in));
  else
    memcpy(&race->names[0], name, sizeof(struct sockaddr_in6));
  race->count = 1;
  try_next(race);
}

static const struct addrinfo *next_of(const struct addrinfo *one, bool same,
                                      int family) {
  while (one != NULL && (one->ai_family == family) != same) one = one->ai_next;
  return one;
}

static void add(struct race *race, const struct addrinfo *one, int port) {
  union race_name *name = &race->names[race->count++];
  if (one->ai_family == AF_INET) {
    memcpy(name, one->ai_addr, sizeof name->v4);
    name->v4.sin_port = htons((uint16_t)port);
  } else {
    memcpy(name, one->ai_addr, sizeof name->v6);
    name->v6.sin6_port = htons((uint16_t)port);
  }
}

/* The resolver's order, but the families take turns: RFC 8305, 4. */
void race_start(struct race *race, const struct addrinfo *found, int port) {
  int family = found->ai_family;
  const struct addrinfo *same = found, *other = next_of(found, false, family);
  if (!reserve(race, NAMES_MOST)) return;
  while ((same != NULL || other != NULL) && race->count + 2 <= NAMES_MOST) {
    if (same != NULL) {
      add(race, same, port);
      same = next_of(same->ai_next, true, family);
    }
    if (other != NULL) {
      add(race, other, port);
      other = next_of(other->ai_next, false, family);
    }
  }
  try_next(race);
}
