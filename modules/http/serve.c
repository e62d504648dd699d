/* serve.c - a request becomes a call of the handler, its results an answer.
 *
 * The owner is the request: what the handler starts ends with it, or is waited
 * for when the program is replaced. Requests that lie ready behind one that has
 * left nothing behind are served by the same task, one after the other; what
 * they answer goes out together. */
#include "modules/http/serve.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "host/generation.h"
#include "host/host.h"
#include "host/run.h"
#include "host/task.h"
#include "modules/http/arrival.h"
#include "modules/http/bytes.h"
#include "modules/http/client.h"
#include "modules/http/files/content.h"
#include "modules/http/refusal.h"
#include "modules/http/request.h"
#include "modules/http/response.h"
#include "modules/http/send.h"
#include "modules/http/server.h"

enum { AT_REQUEST = 1, AT_HANDLER, AT_ROOM, AT_RESULTS };

enum { IN_A_ROW = 64, HEAD_SIZE = 1024 };

static struct server *server_of(const struct client *client) {
  return client->task->sink_data;
}

/* ---- the answer ---------------------------------------------------------- */

static bool is_head_only(const struct client *client) {
  return client->intake.head->method == HTTP_HEAD;
}

static struct reply reply_for(struct client *client, bool reads) {
  return (struct reply){.keep_alive = client_may_go_on(client, reads),
                        .head_only = is_head_only(client),
                        .old = client->intake.head->minor == 0};
}

/* Its body may be made of that of the request, while it is sent. */
static bool may_read_on(const struct response *response) {
  return response->is_stream && !response->is_skipped && response->status < 300;
}

/* The results lie at AT_RESULTS and above. The room is for bytes; 0: it is taken,
 * they lie above. */
static struct response begin_answer(lua_State *L, struct client *client,
                                    int room) {
  char memory[HEAD_SIZE];
  struct bytes bytes;
  luaL_checkstack(L, LUA_MINSTACK, "too many results");
  struct response response = response_read(L, AT_HANDLER, AT_RESULTS);
  struct reply reply = reply_for(client, response.is_stream);
  if (room == 0) {
    lua_pushnil(L);
    room = lua_gettop(L);
  }
  bytes_open(&bytes, L, room, memory, sizeof memory);
  response_add_head(&bytes, &client->stream.handle.host->clock, &response,
                    &reply);
  if (response.content != NULL) content_at(L, response.body); /* still open? */
  if (may_read_on(&response)) arrival_invite(client);
  client->sent = true;
  client->last = !reply.keep_alive;
  client->endless =
    response.is_stream && !response.is_chunked && response.length < 0;
  client_put(client, bytes.data + bytes.begin, bytes.end - bytes.begin);
  client_put(client, response.text, response.size);
  if (response.content != NULL)
    content_close(client->stream.handle.host, response.content);
  return response;
}

/* ---- one request after the other ----------------------------------------- */

/* What it has started still belongs to the request before. */
static bool is_alone(const struct task *task) {
  const struct owner *owner = task->work.owner;
  return owner->first == &task->work && task->work.next == NULL;
}

static bool may_stay(const struct client *client, int served) {
  const struct task *task = client->task;
  return served < IN_A_ROW && is_alone(task) && !task->cancelled &&
         client->stream.handle.host->phase == HOST_RUNNING &&
         client_server(client) == server_of(client);
}

/* The request has been answered. True: another one is there, for this task. */
static bool go_on(lua_State *L, struct client *client) {
  bool stays = client_may_go_on(client, false);
  request_detach(client->request);
  lua_settop(L, 0);
  if (!stays) return false;
  client_go_on(client);
  client->in_a_row++;
  return may_stay(client, client->in_a_row) && client_next(client);
}

static int told(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 0;
}

/* As `answer` below, with the same stack; but in the room lies a function that is
 * to know what becomes of it, also if it is refused. */
static int answer_and_tell(lua_State *L) {
  struct request *request = lua_touserdata(L, AT_REQUEST);
  send_push_after(L, AT_REQUEST, AT_ROOM);
  lua_replace(L, AT_ROOM);
  lua_toclose(L, AT_ROOM);
  struct response response = begin_answer(L, request->client, 0);
  if (response.is_stream) {
    send_push(L, AT_REQUEST, &response);
    lua_callk(L, SEND_ARGUMENTS, 0, 0, told);
  } else {
    request->written = response.size;
  }
  return 0;
}

/* Is there one? Then it is there. */
static bool is_to_tell(lua_State *L) {
  if (!lua_istable(L, AT_RESULTS)) return false;
  bool is = lua_getfield(L, AT_RESULTS, "after") == LUA_TFUNCTION;
  if (is)
    lua_replace(L, AT_ROOM);
  else
    lua_pop(L, 1);
  return is;
}

static int streamed(lua_State *L, int status, lua_KContext context);

static void answer(lua_State *L, struct client *client) {
  if (is_to_tell(L)) {
    lua_pushcfunction(L, answer_and_tell);
    lua_insert(L, AT_REQUEST);
    lua_callk(L, lua_gettop(L) - 1, 0, (lua_KContext)client, streamed);
    return;
  }
  struct response response = begin_answer(L, client, AT_ROOM);
  if (!response.is_stream) return;
  send_push(L, AT_REQUEST, &response);
  lua_callk(L, SEND_ARGUMENTS, 0, (lua_KContext)client, streamed);
}

static int handled(lua_State *L, int status, lua_KContext context);

static int serve(lua_State *L, struct client *client) {
  do {
    server_of(client)->requests++;
    request_push(L, client, server_of(client)->request_class);
    lua_pushvalue(L, AT_REQUEST);
    run_keep(L); /* client->request points to it, see settle */
    listener_push_handler(L, &server_of(client)->listener);
    lua_pushnil(L); /* AT_ROOM */
    lua_pushvalue(L, AT_HANDLER);
    lua_pushvalue(L, AT_REQUEST);
    lua_callk(L, 1, LUA_MULTRET, (lua_KContext)client, handled);
    answer(L, client);
  } while (go_on(L, client));
  return 0;
}

static int handled(lua_State *L, int status, lua_KContext context) {
  struct client *client = (struct client *)context;
  (void)status;
  answer(L, client);
  return go_on(L, client) ? serve(L, client) : 0;
}

static int streamed(lua_State *L, int status, lua_KContext context) {
  struct client *client = (struct client *)context;
  (void)status;
  return go_on(L, client) ? serve(L, client) : 0;
}

static int run(lua_State *L) {
  struct client *client = lua_touserdata(L, 1);
  lua_settop(L, 0);
  client->in_a_row = 0;
  return serve(L, client);
}

/* ---- the end of the task ------------------------------------------------- */

/* A body that was refused is the client's fault, and no failure of ours. */
static bool settle(lua_State *L, struct task *task, enum task_end end) {
  struct client *client = task->context;
  struct request *request = client->request;
  (void)L;
  if (request == NULL) return false;
  bool refused = end == TASK_FAILED && client->refusal != 0 && !client->sent;
  if (end == TASK_FAILED && !refused) {
    char text[REQUEST_DESCRIPTION];
    request_describe(request, text);
    task_rename(task, text);
    free(client->failed_id);
    client->failed_id = request->id != NULL ? strdup(request->id) : NULL;
  }
  request_detach(request);
  return refused;
}

/* It has failed, or was stopped, before it had answered. */
static void answer_for(struct client *client, enum task_end how) {
  char id[REQUEST_ID], text[REFUSAL_MOST];
  struct refusal refusal = {.status = client->refusal,
                            .head_only = is_head_only(client)};
  if (refusal.status == 0) refusal.status = how == TASK_FAILED ? 500 : 503;
  if (how == TASK_FAILED && client->refusal == 0) {
    refusal.keeps_alive = client_may_go_on(client, false);
    request_format_id(client->number, id);
    refusal.id = client->failed_id != NULL ? client->failed_id : id;
  }
  size_t size =
    refusal_format(text, &client->stream.handle.host->clock, &refusal);
  free(client->failed_id); /* the next one has another */
  client->failed_id = NULL;
  client->last = !refusal.keeps_alive;
  client_put(client, text, size);
}

static void end_request(struct client *client, enum task_end how) {
  bool cut = how != TASK_RETURNED && client->endless;
  if (client->phase == PHASE_OVER && !cut) {
    client_end(client);
    return;
  }
  if (how == TASK_RETURNED && client->phase != PHASE_SERVED) {
    client_resume(client); /* it has gone on to the next one already */
    return;
  }
  bool answered = how == TASK_RETURNED;
  if (!answered && !client->sent) {
    answer_for(client, how);
    answered = true;
  }
  if (answered && client_may_go_on(client, false)) {
    client_go_on(client);
    client_resume(client);
  } else if (!answered && client->endless) {
    stream_reset(&client->stream); /* or it would seem to be whole */
  } else {
    client_end(client);
  }
}

static void ended(struct task *task, enum task_end how) {
  struct client *client = task->context;
  struct server *server = task->sink_data;
  client->task = NULL;
  if (client->request != NULL) request_detach(client->request); /* unsettled */
  end_request(client, how);
  listener_leave(&server->listener);
  handle_leave(&client->stream.handle);
}

static const struct task_sink sink = {settle, ended};

/* ---- its beginning ------------------------------------------------------- */

bool serve_start(struct client *client) {
  struct server *server = client_server(client);
  struct handle *h = &client->stream.handle;
  struct owner *owner =
    owner_new(server->listener.handle.work.owner->generation);
  if (owner == NULL) return false;
  struct task *task = task_start(h->host, owner, run, client);
  if (task == NULL) {
    owner_drop(owner);
    return false;
  }
  task->sink = &sink;
  task->sink_data = server;
  task->name = "request";
  task->origin = server->listener.handle.origin;
  task->work.spec = server->listener.handle.work.spec;
  client->task = task;
  listener_use(&server->listener);
  handle_use(h);
  return true;
}

/* ---- the end of its server ----------------------------------------------- */

static void cancel(struct work *work, void *data) {
  struct task *task = (struct task *)work;
  if (task_is(work) && task->sink == &sink && task->sink_data == data)
    task_cancel(task);
}

void serve_end_all(struct server *server) {
  generation_each_work(server->listener.handle.host, cancel, server);
}
