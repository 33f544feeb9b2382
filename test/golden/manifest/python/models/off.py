def model(dbt, session):
    dbt.config(enabled=False, packages=["pandas==1.5.2"])
    return dbt.ref("b")
