/* forms.h - what a client has filled in: request:form and request:parts. */
#ifndef HTTP_FORMS_H
#define HTTP_FORMS_H

#include <lua.h>

int forms_form(lua_State *L);  /* request:form([options] [, callback]) */
int forms_parts(lua_State *L); /* request:parts([options]) */
void forms_open_classes(lua_State *L);

#endif
