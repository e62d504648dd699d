/* forms.c - between scripts and forms.lua.
 *
 * Classes are shared by all realms, so their methods are C: each calls the
 * function of its name that forms.lua has returned in this realm, where it is
 * loaded when one of them is first called. */
#include "modules/http/forms/forms.h"

#include <lauxlib.h>

#include "host/embedded.h"
#include "modules/http/forms/part_events.h"
#include "modules/http/forms/reading.h"
#include "modules/http/forms/upload.h"
#include "modules/http/request.h"

static const char form_class[] = "neap.http.form";
static const char part_class[] = "neap.http.part";
static const char upload_class[] = "neap.http.upload";

/* ---- new(class, table) -> the table, as an object of that class ----------- */

static int new_object(lua_State *L) {
  static const char *const names[] = {"form", "part", "upload", NULL};
  static const char *const classes[] = {form_class, part_class, upload_class};
  int which = luaL_checkoption(L, 1, NULL, names);
  lua_settop(L, 2);
  lua_rawgetp(L, LUA_REGISTRYINDEX, classes[which]);
  lua_setmetatable(L, 2);
  return 1;
}

static const luaL_Reg core[] = {
  {"new", new_object},
  {NULL, NULL},
};

/* ---- the functions of this realm ------------------------------------------ */

static void load(lua_State *L) {
  embedded_load(L, "modules/http/forms/forms.lua");
  lua_newtable(L);
  luaL_setfuncs(L, core, 0);
  luaL_setfuncs(L, reading_functions, 0);
  luaL_setfuncs(L, part_events_functions, 0);
  luaL_setfuncs(L, upload_functions, 0);
  embedded_add_load(L);
  lua_call(L, 1, 1);
}

/* Its table of loaded modules stands for a realm. */
static void push_functions(lua_State *L) {
  static const char key =
    0; /* loaded modules -> functions; its keys are weak */
  lua_rawgetp(L, LUA_REGISTRYINDEX, &key);
  if (lua_isnil(L, -1)) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &key);
  }
  lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TNIL) {
    lua_pop(L, 1);
    load(L);
    lua_pushvalue(L, -2);
    lua_pushvalue(L, -2);
    lua_rawset(L, -5);
  }
  lua_replace(L, -3);
  lua_pop(L, 1);
}

static int called(lua_State *L, int status, lua_KContext context) {
  (void)status;
  (void)context;
  return lua_gettop(L);
}

/* With its own arguments. It finds the caller at level 3. */
static int call(lua_State *L, const char *name) {
  push_functions(L);
  lua_getfield(L, -1, name);
  lua_remove(L, -2);
  lua_insert(L, 1);
  lua_callk(L, lua_gettop(L) - 1, LUA_MULTRET, 0, called);
  return called(L, LUA_OK, 0);
}

/* ---- methods --------------------------------------------------------------- */

int forms_form(lua_State *L) {
  request_check(L);
  return call(L, "form");
}

int forms_parts(lua_State *L) {
  request_check(L);
  return call(L, "parts");
}

static int call_of(lua_State *L, const char *class_name, const char *name) {
  bool right = lua_istable(L, 1) && lua_getmetatable(L, 1) &&
               lua_rawgetp(L, LUA_REGISTRYINDEX, class_name) == LUA_TTABLE &&
               lua_rawequal(L, -1, -2);
  if (!right) luaL_typeerror(L, 1, class_name);
  lua_pop(L, 2);
  return call(L, name);
}

static int form_list(lua_State *L) {
  return call_of(L, form_class, "form_list");
}

static int form_uploads(lua_State *L) {
  return call_of(L, form_class, "form_uploads");
}

static int part_body(lua_State *L) {
  return call_of(L, part_class, "part_body");
}

static int part_chunks(lua_State *L) {
  return call_of(L, part_class, "part_chunks");
}

static int part_skip(lua_State *L) {
  return call_of(L, part_class, "part_skip");
}

static int upload_chunks(lua_State *L) {
  return call_of(L, upload_class, "upload_chunks");
}

static int upload_read_all(lua_State *L) {
  return call_of(L, upload_class, "upload_read");
}

static int upload_save_as(lua_State *L) {
  return call_of(L, upload_class, "upload_save");
}

static const luaL_Reg form_methods[] = {
  {"list", form_list},
  {"uploads", form_uploads},
  {NULL, NULL},
};

static const luaL_Reg part_methods[] = {
  {"body", part_body},
  {"chunks", part_chunks},
  {"skip", part_skip},
  {NULL, NULL},
};

static const luaL_Reg upload_methods[] = {
  {"chunks", upload_chunks},
  {"read", upload_read_all},
  {"save", upload_save_as},
  {NULL, NULL},
};

static void open_class(lua_State *L, const char *name,
                       const luaL_Reg *methods) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, name) == LUA_TNIL) {
    lua_newtable(L);
    lua_pushstring(L, name);
    lua_setfield(L, -2, "__name");
    lua_newtable(L);
    luaL_setfuncs(L, methods, 0);
    lua_setfield(L, -2, "__index");
    lua_rawsetp(L, LUA_REGISTRYINDEX, name);
  }
  lua_pop(L, 1);
}

void forms_open_classes(lua_State *L) {
  open_class(L, form_class, form_methods);
  open_class(L, part_class, part_methods);
  open_class(L, upload_class, upload_methods);
  part_events_open_class(L);
  upload_open_class(L);
}
