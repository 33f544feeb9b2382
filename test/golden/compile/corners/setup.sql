create schema raw;
create table raw.sizes (id integer, amount decimal(10,2), name varchar);
