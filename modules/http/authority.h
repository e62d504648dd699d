/* authority.h - is it a host and perhaps a port, as in Host and in a target? */
#ifndef HTTP_AUTHORITY_H
#define HTTP_AUTHORITY_H

#include <stdbool.h>
#include <stddef.h>

bool authority_is_valid(const char *text, size_t size);

#endif
