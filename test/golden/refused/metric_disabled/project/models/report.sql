select 1 as one -- {{ metric('revenue') }}
