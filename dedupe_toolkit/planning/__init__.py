"""What a merge will do, table by table, before anything is written."""
