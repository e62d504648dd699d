/* admission.c - counts, compared with limits. */
#include "modules/http/admission.h"

#include "modules/http/census.h"
#include "modules/http/client.h"
#include "modules/http/server.h"

enum { TURNED_AWAY_MOST = 1000 };

static unsigned turned_away; /* and still there */

bool admission_is_crowded(void) {
  return turned_away > TURNED_AWAY_MOST;
}

static bool is_full(const struct server *server) {
  uint32_t most = server->limits.connections;
  return most > 0 && server->listener.service->count >= most;
}

static void count(struct client *client, const struct server *server) {
  struct admission *admission = &client->admission;
  if (admission->neighbours != NULL) return;
  if (server->limits.connections_per_client == 0) return;
  admission->neighbours = census_enter(server->listener.service, &client->peer);
}

void admission_count(struct client *client) {
  const struct server *server = client_server(client);
  if (server != NULL) count(client, server);
}

/* It has been counted already. */
static bool is_one_too_many(const struct client *client,
                            const struct server *server) {
  const struct neighbours *neighbours = client->admission.neighbours;
  return neighbours != NULL &&
         census_count(neighbours) > server->limits.connections_per_client;
}

static const char *turn_away(struct client *client, const char *why) {
  admission_leave(client);
  client->admission.turned_away = true;
  turned_away++;
  return why;
}

const char *admission_enter(struct client *client, struct server *server) {
  if (is_full(server)) return turn_away(client, "too many connections");
  count(client, server);
  if (is_one_too_many(client, server))
    return turn_away(client, "too many connections from one address");
  service_add(server->listener.service, &client->served, client);
  return NULL;
}

void admission_leave(struct client *client) {
  struct admission *admission = &client->admission;
  census_leave(admission->neighbours);
  admission->neighbours = NULL;
  if (admission->turned_away) turned_away--;
  admission->turned_away = false;
}
