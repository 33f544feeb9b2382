select 1 as id, current_date as valid_from, current_date as valid_to
