/* lobby.c - two stacks of Lua values, anchored as long as the state lives. */
#include "host/lobby.h"

#include <assert.h>
#include <lauxlib.h>

enum { SEATS_MANY = 4096 };

static lua_State *new_thread(lua_State *L) {
  lua_State *thread = lua_newthread(L);
  lua_sethook(thread, NULL, 0, 0); /* it would inherit its maker's */
  luaL_ref(L, LUA_REGISTRYINDEX);
  return thread;
}

void lobby_open(struct lobby *lobby, lua_State *L) {
  lobby->next = new_thread(L);
  lobby->now = new_thread(L);
}

/* One slot more: see lobby_leave. */
bool lobby_has_room(const struct lobby *lobby, int seats) {
  return lua_checkstack(lobby->next, seats + 1);
}

int lobby_enter(const struct lobby *lobby, lua_State *from, int seats) {
  lua_xmove(from, lobby->next, seats);
  return lua_gettop(lobby->next) - seats + 1;
}

void lobby_swap(struct lobby *lobby) {
  lua_State *now = lobby->next;
  lobby->next = lobby->now;
  lobby->now = now;
}

/* Where room was made for many the collector has to go through it for ever:
 * only this makes a stack small again. */
void lobby_clear(const struct lobby *lobby) {
  if (lua_gettop(lobby->now) > SEATS_MANY)
    lua_resetthread(lobby->now);
  else
    lua_settop(lobby->now, 0);
}

/* An empty seat holds nil: a task's values must not outlive it. */
void lobby_leave(const struct lobby *lobby, lua_State *L, int seat, int seats) {
  lua_State *now = lobby->now;
  assert(seat + seats - 1 <= lua_gettop(now));
  for (int i = seat; i < seat + seats; i++) {
    lua_pushvalue(now, i);
    lua_xmove(now, L, 1);
    lua_pushnil(now);
    lua_replace(now, i);
  }
}
