/* lobby.h - where the functions wait of tasks that will begin in the next turn.
 *
 * Each takes some seats: slots of the stack of a Lua thread that runs nothing.
 * There are two, one is filled while the tasks of the other run: so seats are
 * given out in order, and all are free again when the turn is over. */
#ifndef HOST_LOBBY_H
#define HOST_LOBBY_H

#include <lua.h>
#include <stdbool.h>

struct lobby {
  lua_State *next; /* for the tasks of the next turn */
  lua_State *now;  /* for those of this one */
};

void lobby_open(struct lobby *lobby, lua_State *L); /* may raise */
bool lobby_has_room(const struct lobby *lobby, int seats);
/* Takes so many values off `from`: the first one's seat. */
int lobby_enter(const struct lobby *lobby, lua_State *from, int seats);
/* A turn begins, it is over. */
void lobby_swap(struct lobby *lobby);
void lobby_clear(const struct lobby *lobby);
/* Moves what has been taken there to L, in this turn. */
void lobby_leave(const struct lobby *lobby, lua_State *L, int seat, int seats);

#endif
