-- A fragment, a condition. It needs a row with the column :"column", and in :tenant a condition on the row :alias of the other table.
:"column" = ANY (ARRAY(SELECT :alias.:"key" FROM :"parent" AS :alias WHERE :tenant))
