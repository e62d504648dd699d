/* send.h - bodies that are made while they are sent: functions, and what has
 * chunks. */
#ifndef HTTP_SEND_H
#define HTTP_SEND_H

#include <lua.h>

struct request;
struct response;

/* The head of the response, which has a stream, has been sent. Pushes a function
 * and so many arguments: called, it sends the body and returns when all of it is
 * done. */
enum { SEND_ARGUMENTS = 3 };
void send_push(lua_State *L, int request, const struct response *response);
/* The function at index `after` wants to know what has become of the answer:
 * pushes what tells it when that is closed. */
void send_push_after(lua_State *L, int request, int after);

void send_open_class(lua_State *L);

/* The client has taken something, or will take no more. */
void send_pump(struct request *request, int status);

#endif
