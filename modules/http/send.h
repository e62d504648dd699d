/* send.h - bodies that are made while they are sent: functions, and what has
 * chunks. */
#ifndef HTTP_SEND_H
#define HTTP_SEND_H

#include <lua.h>

struct request;
struct response;

/* The head of the response has been sent, and its body where that is a text.
 * Pushes a function and so many arguments: called, it sends what is left, tells
 * who wants to know, and returns when all of it is done. */
enum { SEND_ARGUMENTS = 4 };
void send_push(lua_State *L, int request, const struct response *response);

void send_open_class(lua_State *L);

/* The client has taken something, or will take no more. */
void send_pump(struct request *request, int status);

#endif
