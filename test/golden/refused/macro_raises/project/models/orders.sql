select {{ strict(-1) }} as id
