/* Times as the Mito log server has them: `YYYY-MM-DDTHH:MM:SSZ`. The calendar is the Gregorian one. */
#include <otlog/mito.h>

#define NANOS_PER_S UINT64_C(1000000000)
#define S_PER_DAY 86400
#define FIRST_YEAR 1970

static bool
is_leap(unsigned year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static unsigned
days_of_month(unsigned year, unsigned month)
{
	static const uint8_t days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
	return days[month - 1] + (month == 2 && is_leap(year));
}

/* Days from the first of January of the year 1 to that of `year`. */
static uint64_t
days_before_year(unsigned year)
{
	const uint64_t past = year - 1;
	return past * 365 + past / 4 - past / 100 + past / 400;
}

/* Digits and what stands between them. */
static const char form[] = "dddd-dd-ddTdd:dd:ddZ";

enum { YEAR, MONTH, DAY, HOUR, MINUTE, SECOND, PARTS };

/* The six numbers; false if the text does not have the form. */
static bool
read_parts(const char *text, unsigned parts[PARTS])
{
	size_t part = 0;
	for (size_t i = 0; form[i]; i++) {
		if (form[i] != 'd') {
			if (text[i] != form[i])
				return false;
			part++;
		} else {
			if (text[i] < '0' || text[i] > '9')
				return false;
			parts[part] = parts[part] * 10 + (unsigned)(text[i] - '0');
		}
	}
	return text[sizeof form - 1] == '\0';
}

bool
mito_parse_timestamp(const char *text, uint64_t *unix_nano)
{
	unsigned p[PARTS] = { 0 };
	if (!text || !read_parts(text, p) || p[YEAR] < FIRST_YEAR || p[MONTH] < 1 || p[MONTH] > 12 || p[DAY] < 1 ||
	    p[DAY] > days_of_month(p[YEAR], p[MONTH]) || p[HOUR] > 23 || p[MINUTE] > 59 || p[SECOND] > 59)
		return false;

	uint64_t days = days_before_year(p[YEAR]) - days_before_year(FIRST_YEAR) + p[DAY] - 1;
	for (unsigned month = 1; month < p[MONTH]; month++)
		days += days_of_month(p[YEAR], month);
	const uint64_t seconds = days * S_PER_DAY + p[HOUR] * 3600 + p[MINUTE] * 60 + p[SECOND];
	if (seconds > UINT64_MAX / NANOS_PER_S)
		return false;
	*unix_nano = seconds * NANOS_PER_S;
	return true;
}

void
mito_format_timestamp(uint64_t unix_nano, char out[MITO_TIMESTAMP_SIZE])
{
	const uint64_t seconds = unix_nano / NANOS_PER_S;
	const unsigned of_day = (unsigned)(seconds % S_PER_DAY);
	const uint64_t days = seconds / S_PER_DAY + days_before_year(FIRST_YEAR);
	/* No year is shorter than 365 days: this is the year or a later one. */
	unsigned year = (unsigned)(days / 365) + 1;
	while (days_before_year(year) > days)
		year--;
	unsigned day = (unsigned)(days - days_before_year(year)), month = 1;
	while (day >= days_of_month(year, month))
		day -= days_of_month(year, month++);

	unsigned parts[PARTS] = { year, month, day + 1, of_day / 3600, of_day / 60 % 60, of_day % 60 };
	size_t part = PARTS;
	for (size_t i = sizeof form; i-- > 0;) {
		out[i] = form[i];
		if (form[i] == 'd') {
			out[i] = (char)('0' + parts[part] % 10);
			parts[part] /= 10;
		} else if (form[i]) {
			part--;
		}
	}
}
