create schema raw;
create table raw.payments (id integer, method varchar, amount decimal(12,2), paid date, big bigint, ts timestamp, ok boolean, dbl double);
insert into raw.payments values (1, 'card', 10.50, '2024-01-31', 1, '2024-01-31 10:00:00', true, 1.5), (2, 'bank', 2.00, '2024-02-29', 5000000000, '2024-02-29 00:00:00', false, 2.0), (3, 'card', null, null, null, null, null, null);
