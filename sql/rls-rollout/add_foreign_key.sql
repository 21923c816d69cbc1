-- Every tenant that a row names must exist. What happens where a tenant is deleted stands in the plan.
ALTER TABLE :"table" ADD CONSTRAINT :"name" FOREIGN KEY (:"column") REFERENCES :"tenants" (:"key") ON UPDATE :on_update ON DELETE :on_delete :validity
