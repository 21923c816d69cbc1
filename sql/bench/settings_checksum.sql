-- A number for what each tenant's settings say, independent of the order of rows, and how many tenants have both.
SELECT coalesce(sum(hashtextextended(concat_ws('|', o."tenantId", o.name, s."passwordPolicy", s."sessionSecurity", s."twoFactor",
                                               s.network, s."dataProtection", s.compliance), 0)::numeric), 0)::text AS checksum,
       count(*) AS tenants
FROM organization_settings AS o
JOIN security_settings AS s USING ("tenantId")
