select '{{ env_var('SHOP_REGION_UNSET') }}' as id
