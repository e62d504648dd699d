/* events.h - a connection that is served by a table of events.
 *
 * No task waits for it. When something has happened a task is started that
 * runs one function of the table, looked up at that moment; the next one only
 * when that has ended. So events keep their order, and nothing is shared
 * between them but conn.state. The registry holds the box meanwhile. */
#ifndef NET_EVENTS_H
#define NET_EVENTS_H

#include <lua.h>
#include <stdbool.h>

struct service;
struct connection;

/* Raises unless the value is a table of events: line or data, open, close.
 * Whether it is `line`. */
bool events_check(lua_State *L, int index);
/* False without memory. The handler of the service's server is the table. */
bool events_serve(struct service *service, struct connection *connection);
/* Starts the task for the next event, if there is one: true. */
bool events_pump(struct connection *connection);
/* Lets go of the handler: after the last event, or when the program ends. */
void events_release(struct connection *connection);

#endif
