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

/* Reads `count` digits; false if there are others among them. */
static bool
read_digits(const char *text, size_t count, unsigned *out)
{
	unsigned number = 0;
	for (size_t i = 0; i < count; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		number = number * 10 + (unsigned)(text[i] - '0');
	}
	*out = number;
	return true;
}

bool
mito_parse_timestamp(const char *text, uint64_t *unix_nano)
{
	static const char form[] = "dddd-dd-ddTdd:dd:ddZ";
	unsigned year, month, day, hour, minute, second;
	if (!text || strnlen(text, sizeof form) != sizeof form - 1)
		return false;
	for (size_t i = 0; form[i]; i++)
		if (form[i] != 'd' && form[i] != text[i])
			return false;
	if (!read_digits(text, 4, &year) || !read_digits(text + 5, 2, &month) || !read_digits(text + 8, 2, &day) ||
	    !read_digits(text + 11, 2, &hour) || !read_digits(text + 14, 2, &minute) ||
	    !read_digits(text + 17, 2, &second))
		return false;
	if (year < FIRST_YEAR || month < 1 || month > 12 || day < 1 || day > days_of_month(year, month) || hour > 23 ||
	    minute > 59 || second > 59)
		return false;

	uint64_t days = days_before_year(year) - days_before_year(FIRST_YEAR) + day - 1;
	for (unsigned m = 1; m < month; m++)
		days += days_of_month(year, m);
	const uint64_t seconds = days * S_PER_DAY + hour * 3600 + minute * 60 + second;
	if (seconds > UINT64_MAX / NANOS_PER_S)
		return false;
	*unix_nano = seconds * NANOS_PER_S;
	return true;
}

static char *
write_digits(char *out, size_t count, unsigned number)
{
	for (size_t i = count; i-- > 0; number /= 10)
		out[i] = (char)('0' + number % 10);
	return out + count;
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

	out = write_digits(out, 4, year);
	*out++ = '-';
	out = write_digits(out, 2, month);
	*out++ = '-';
	out = write_digits(out, 2, day + 1);
	*out++ = 'T';
	out = write_digits(out, 2, of_day / 3600);
	*out++ = ':';
	out = write_digits(out, 2, of_day / 60 % 60);
	*out++ = ':';
	out = write_digits(out, 2, of_day % 60);
	*out++ = 'Z';
	*out = '\0';
}
