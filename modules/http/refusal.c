/* refusal.c - a whole answer in one buffer, and the reasons of RFC 9110, section
 * 15. */
#include "modules/http/refusal.h"

#include <stdio.h>
#include <string.h>

#include "modules/http/date.h"

struct reason {
  int status;
  const char *text;
};

static const struct reason reasons[] = {
  {200, "OK"},
  {201, "Created"},
  {202, "Accepted"},
  {203, "Non-Authoritative Information"},
  {204, "No Content"},
  {205, "Reset Content"},
  {206, "Partial Content"},
  {207, "Multi-Status"},
  {300, "Multiple Choices"},
  {301, "Moved Permanently"},
  {302, "Found"},
  {303, "See Other"},
  {304, "Not Modified"},
  {307, "Temporary Redirect"},
  {308, "Permanent Redirect"},
  {400, "Bad Request"},
  {401, "Unauthorized"},
  {402, "Payment Required"},
  {403, "Forbidden"},
  {404, "Not Found"},
  {405, "Method Not Allowed"},
  {406, "Not Acceptable"},
  {407, "Proxy Authentication Required"},
  {408, "Request Timeout"},
  {409, "Conflict"},
  {410, "Gone"},
  {411, "Length Required"},
  {412, "Precondition Failed"},
  {413, "Content Too Large"},
  {414, "URI Too Long"},
  {415, "Unsupported Media Type"},
  {416, "Range Not Satisfiable"},
  {417, "Expectation Failed"},
  {418, "I'm a teapot"},
  {421, "Misdirected Request"},
  {422, "Unprocessable Content"},
  {423, "Locked"},
  {424, "Failed Dependency"},
  {425, "Too Early"},
  {426, "Upgrade Required"},
  {428, "Precondition Required"},
  {429, "Too Many Requests"},
  {431, "Request Header Fields Too Large"},
  {451, "Unavailable For Legal Reasons"},
  {500, "Internal Server Error"},
  {501, "Not Implemented"},
  {502, "Bad Gateway"},
  {503, "Service Unavailable"},
  {504, "Gateway Timeout"},
  {505, "HTTP Version Not Supported"},
  {507, "Insufficient Storage"},
  {508, "Loop Detected"},
  {511, "Network Authentication Required"},
};

const char *refusal_reason(int status) {
  for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
    if (reasons[i].status == status) return reasons[i].text;
  return "";
}

/* Nothing of what the client has sent is in it. */
size_t refusal_format(char text[REFUSAL_MOST], const struct clock *clock,
                      const struct refusal *refusal) {
  size_t begin_size;
  const char *begin = date_begin(clock, &begin_size);
  const char *reason = refusal_reason(refusal->status);
  const char *why = refusal->why != NULL ? refusal->why : reason;
  const char *id = refusal->id;
  int size = snprintf(
    text, REFUSAL_MOST,
    "HTTP/1.1 %d %s\r\n%.*s"
    "Content-Type: text/plain; charset=utf-8\r\n"
    "Content-Length: %zu\r\n%s%s%s%s\r\n%.200s%s",
    refusal->status, reason, (int)(begin_size - DATE_AT), begin + DATE_AT,
    strnlen(why, 200) + 1, id != NULL ? "X-Request-Id: " : "",
    id != NULL ? id : "", id != NULL ? "\r\n" : "",
    refusal->keeps_alive ? "" : "Connection: close\r\n",
    refusal->head_only ? "" : why, refusal->head_only ? "" : "\n");
  return (size_t)size;
}
