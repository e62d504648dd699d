/* send.h - bodies that are made while they are sent: functions, and what has
 * chunks. */
#ifndef HTTP_SEND_H
#define HTTP_SEND_H

#include <lua.h>

struct request;
struct response;

/* The head of the response has been sent. Pushes a function and so many
 * arguments: called, it sends the body, and returns when that is whole. */
enum { SEND_ARGUMENTS = 3 };
void send_push(lua_State *L, int request, const struct response *response);

/* The client has taken something, or will take no more. */
void send_pump(struct request *request, int status);

#endif
