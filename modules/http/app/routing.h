/* routing.h - the lookup of a router, for router.lua: from a request to the
 * handler of its route. */
#ifndef HTTP_APP_ROUTING_H
#define HTTP_APP_ROUTING_H

#include <lua.h>

struct request;

int routing_tree(lua_State *L);    /* () -> tree */
int routing_add(lua_State *L);     /* (tree, pattern, method, number) */
int routing_methods(lua_State *L); /* (tree, path) -> set of methods */
int routing_call(lua_State *L);    /* (router, request): all of it */
int routing_serve(lua_State *L);   /* behind the router's own middleware */
void routing_open_class(lua_State *L);

/* The values of the names in its route's pattern, as a table. */
void routing_push_params(lua_State *L, struct request *request);
/* Who has given the answer of the handler at `index` to the request at index 1:
 * that, or, where it is a router, the function within that has. */
void routing_push_handler(lua_State *L, int index);
/* While that handler runs: who of it is asked in the end, behind all middleware. */
void routing_push_route_handler(lua_State *L, int index);

#endif
